// The icons, drawn as strokes in a 16 by 16 box.
const PATHS = {
  overview: "M2.5 2.5h4.5v6H2.5zM9 2.5h4.5v3.5H9zM9 8h4.5v5.5H9zM2.5 10.5H7v3H2.5z",
  jobs: "M3 4.5h10M3 8h10M3 11.5h6",
  runs: "M4 3.2v9.6L12.5 8z",
  calendar: "M2.5 3.8h11v9.7h-11zM2.5 6.8h11M5.5 2v3M10.5 2v3",
  queues: "M2.5 4h11M2.5 8h7.5M2.5 12h4.5M12.3 8l1.7 0",
  nodes: "M2.5 2.8h11v4.2h-11zM2.5 9h11v4.2h-11zM5 4.9h.01M5 11.1h.01",
  channels: "M3 6.5v3h2.2L9 12.6V3.4L5.2 6.5zM11.3 5.8a3 3 0 0 1 0 4.4",
  audit: "M4 2.5h8v11H4zM6.3 5.5h3.4M6.3 8h3.4M6.3 10.5h2",
  keys: "M9.8 6.2a3 3 0 1 1-2.2-2.2 3 3 0 0 1 2.2 2.2ZM7.6 8.2l5 5M10.6 11.2l1.6-1.6",
  settings: "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M8.5 3v3h3V3zM4.5 10v3h3v-3z",
  check: "M3 8.5l3.2 3.2L13 4.9",
  cross: "M4 4l8 8M12 4l-8 8",
  alert: "M8 2.3 14.3 13.4H1.7zM8 6.3v3.2M8 11.4h.01",
  clock: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM8 4.6V8l2.3 1.6",
  pause: "M5.3 3.5v9M10.7 3.5v9",
  play: "M4.5 3.2v9.6l8-4.8z",
  retry: "M13 8a5 5 0 1 1-1.5-3.6M13 2.3v2.9h-2.9",
  spinner: "M8 2a6 6 0 1 1-5.6 3.9",
  skip: "M3.5 3.8v8.4L9.2 8zM12 3.8v8.4",
  question: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.2h.01",
  ban: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM3.7 3.7l8.6 8.6",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM10.4 10.4l3.3 3.3",
  plus: "M8 3v10M3 8h10",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  edit: "M10.8 2.8l2.4 2.4L5.8 12.6l-3 .6.6-3z",
  sun: "M8 5.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  out: "M9.5 2.5h-6v11h6M6.5 8H14M11.5 5.5 14 8l-2.5 2.5",
  download: "M8 2.5v7.3M4.8 7 8 10.2 11.2 7M3 13.2h10",
  link: "M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7L8 4.3M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 0 0 3.7 3.7l.9-.9",
  back: "M9.8 3.5 5.3 8l4.5 4.5",
  next: "M6.2 3.5 10.7 8l-4.5 4.5",
  down: "M3.5 6 8 10.5 12.5 6",
  info: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM8 7.4v3.8M8 5h.01",
  send: "M14 2 7.2 8.8M14 2 9.6 14l-2.4-5.2L2 6.4z",
  trash: "M2.8 4.2h10.4M6 4V2.5h4V4M4.2 4.2l.7 9.3h6.2l.7-9.3",
  star: "M8 2.2l1.7 3.6 3.9.5-2.9 2.7.8 3.9L8 11l-3.5 1.9.8-3.9-2.9-2.7 3.9-.5z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, class: extra }: { name: IconName; size?: number; class?: string }) {
  return (
    <svg class={extra} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.5"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
