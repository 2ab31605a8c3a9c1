// Dialogs: the browser's own <dialog>, which keeps the focus and closes on Escape. `ask` is a question
// before something that cannot be taken back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useWatched, Watched } from "../app/watched";
import { ProblemNotice } from "./feedback";

interface DialogProps {
  title: string;
  /** What it shows is shown only once: a click beside it does not close it. */
  once?: boolean;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, once = false, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    box.current?.showModal();
    return () => opener?.focus?.();
  }, []);
  return (
    <dialog ref={box} aria-label={title} onClose={onClose}
      onMouseDown={(event) => !once && event.target === box.current && onClose()}>
      <div class="inner">
        <h2>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** What the button of a dialog does: once at a time; what was refused is shown in the dialog. */
export function useAct(act: () => Promise<void>) {
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const run = async (event?: Event) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return { problem, busy, run };
}

interface Question {
  title: string;
  text: ComponentChildren;
  yes: string;
  risky?: boolean;
  /** To be typed before something that loses data. */
  typed?: string;
  run: () => Promise<void>;
}

const question = new Watched<Question | null>(null);

export const ask = (asked: Question): void => question.set(asked);

function QuestionBox({ asked }: { asked: Question }) {
  const [typed, setTyped] = useState("");
  const close = () => question.set(null);
  const { problem, busy, run } = useAct(async () => {
    await asked.run();
    close();
  });
  return (
    <Dialog title={asked.title} onClose={close}>
      <div>{asked.text}</div>
      {asked.typed !== undefined && (
        <div class="field">
          <label for="typed">Type <code>{asked.typed}</code> to confirm</label>
          <input id="typed" autofocus autocomplete="off" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
        </div>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <div class="foot">
        <button type="button" class="button" autofocus={asked.risky === true && asked.typed === undefined} onClick={close}>Keep it</button>
        <button type="button" class={`button main ${asked.risky ? "risky" : ""}`} autofocus={!asked.risky}
          disabled={busy || (asked.typed !== undefined && typed !== asked.typed)} onClick={() => void run()}>
          {busy && <i class="spin" />}{asked.yes}
        </button>
      </div>
    </Dialog>
  );
}

/** Stands once in the page; shows what `ask` was called with. */
export function Questions() {
  const asked = useWatched(question);
  return asked ? <QuestionBox asked={asked} /> : null;
}
