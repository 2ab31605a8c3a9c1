// Who is logged in. The session itself is a cookie that scripts cannot see; this is what the server says of it.
import { Problem, read, request, send, whenSignedOut } from "../api/http";
import { clock } from "./clock";
import { Watched } from "./watched";

export type Role = "viewer" | "submitter" | "worker" | "operator" | "admin";

interface Me {
  key: { id: string; name: string; role: Role };
  project: { id: string; name: string };
  version: string;
  now: string;
  features: string[];
}

type Session = { state: "unknown" } | { state: "out" } | { state: "in"; me: Me } | { state: "unreachable"; problem: Problem };

export const session = new Watched<Session>({ state: "unknown" });

const RANK: Record<Role, number> = { worker: 0, viewer: 1, submitter: 2, operator: 3, admin: 4 };

/** Buttons that the role may not use are not shown; the server decides in any case. */
export function may(role: Role): boolean {
  const now = session.value;
  return now.state === "in" && RANK[now.me.key.role] >= RANK[role];
}

export async function openSession(): Promise<void> {
  try {
    const me = await read<Me>("/api/me");
    clock.agreeWith(me.now);
    session.set({ state: "in", me });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    session.set(error.status === 401 ? { state: "out" } : { state: "unreachable", problem: error });
  }
}

export async function logIn(proof: { key: string } | { token: string }): Promise<void> {
  await request("POST", "/api/login", { body: proof });
  await openSession();
}

export async function logOut(): Promise<void> {
  await send("POST", "/api/logout");
  session.set({ state: "out" });
}

whenSignedOut(() => session.set({ state: "out" }));
