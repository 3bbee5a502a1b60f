import type { LoadProgress } from "../load/loadOptions.js";
import { countOf, formatCount, formatDuration, formatSize } from "./text.js";

const BAR_CHARS = 20;

/** How far a load is, on one line: a bar, bytes, rows and their speed, bad records, the time that is left, the version. */
export function loadProgressText(progress: LoadProgress, elapsedMs: number, isStopping: boolean): string {
  const { bytesRead, bytesTotal, rowsRead, rowsDead, version } = progress;
  const share = bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesRead / bytesTotal);
  const rate = elapsedMs === 0 ? 0 : Math.round((rowsRead / elapsedMs) * 1000);
  const leftMs = share === undefined || share === 0 ? undefined : (elapsedMs * (1 - share)) / share;
  const parts = [
    share === undefined ? formatSize(bytesRead) : `${formatSize(bytesRead)} of ${formatSize(bytesTotal!)}`,
    `${countOf(rowsRead, "row")} (${formatCount(rate)}/s)`,
    ...(rowsDead === 0 ? [] : [`${formatCount(rowsDead)} bad`]),
    ...(leftMs === undefined ? [] : [`${formatDuration(leftMs)} left`]),
    ...(version === undefined ? [] : [`version ${version}`]),
  ];
  const bar = share === undefined ? "" : `${barOf(share)} ${String(Math.floor(share * 100)).padStart(3)} %  `;
  return `${isStopping ? "finishing the batch in hand; " : ""}${bar}${parts.join(", ")}`;
}

function barOf(share: number): string {
  const full = Math.round(share * BAR_CHARS);
  return `${"█".repeat(full)}${"░".repeat(BAR_CHARS - full)}`;
}
