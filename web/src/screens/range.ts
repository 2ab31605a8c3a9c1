// The stretches of time that a screen is asked to show, as its address says them.
export const RANGES = [["24h", "24 hours"], ["7d", "7 days"]] as const;
export type Range = (typeof RANGES)[number][0];

export const rangeIn = (query: URLSearchParams): Range => (query.get("range") === "7d" ? "7d" : "24h");
