import { lookOf } from "../words/states";
import { Icon } from "./icon";

/** A state as icon, word and colour. */
export function State({ of: state, reason }: { of: string; reason?: string | undefined }) {
  const { word, icon, tone } = lookOf(state);
  return (
    <span class={`badge ${tone}`}>
      <Icon name={icon} size={12} class={state === "running" ? "turns" : ""} />
      {word}
      {reason ? <span>: {reason}</span> : null}
    </span>
  );
}
