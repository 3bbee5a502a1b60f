/** A bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly isOurs: boolean;
}

/** A line of a chart: its points by rising x. */
export interface Line {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const [OURS, OTHERS, INK, GRID] = ["#1f6feb", "#9aa4b2", "#444c56", "#d0d7de"];
const COLOURS = ["#1f6feb", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#57606a"];

/** Bars from the top down, each with its spread, on a linear axis. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const [left, right, row] = [240, 90, 26];
  const width = 720;
  const most = Math.max(...bars.map(({ high }) => high));
  const scale = (width - left - right) / most;
  const height = 46 + bars.length * row;
  const drawn = bars.map(({ label, value, low, high, isOurs }, i) => {
    const y = 36 + i * row;
    const middle = y + 8;
    return [
      `<text x="${left - 8}" y="${y + 12}" text-anchor="end" fill="${INK}">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${fixed(value * scale)}" height="16" fill="${isOurs ? OURS : OTHERS}"/>`,
      `<path d="M${fixed(left + low * scale)} ${middle}H${fixed(left + high * scale)}" stroke="${INK}"/>`,
      `<text x="${fixed(left + high * scale + 6)}" y="${y + 12}" fill="${INK}">${short(value)}</text>`,
    ].join("");
  });
  return svg(width, height, `${title} (${unit})`, drawn);
}

/** Lines on two logarithmic axes. */
export function lineChart(title: string, xName: string, yName: string, lines: readonly Line[]): string {
  const [left, top, width, height] = [70, 40, 480, 300];
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const ys = lines.flatMap(({ points }) => points.map(([, y]) => y));
  const [x0, x1] = decades(xs);
  const [y0, y1] = decades(ys);
  const atX = (x: number) => fixed(left + ((Math.log10(x) - x0) / (x1 - x0)) * width);
  const atY = (y: number) => fixed(top + height - ((Math.log10(y) - y0) / (y1 - y0)) * height);
  const grid = [
    ...range(x0, x1).map((power) => {
      const x = atX(10 ** power);
      return `<path d="M${x} ${top}V${top + height}" stroke="${GRID}"/><text x="${x}" y="${top + height + 18}" text-anchor="middle" fill="${INK}">${short(10 ** power)}</text>`;
    }),
    ...range(y0, y1).map((power) => {
      const y = atY(10 ** power);
      return `<path d="M${left} ${y}H${left + width}" stroke="${GRID}"/><text x="${left - 8}" y="${Number(y) + 4}" text-anchor="end" fill="${INK}">${short(10 ** power)}</text>`;
    }),
    `<text x="${left + width / 2}" y="${top + height + 38}" text-anchor="middle" fill="${INK}">${escaped(xName)}</text>`,
    `<text x="${left}" y="${top - 8}" fill="${INK}">${escaped(yName)}</text>`,
  ];
  const drawn = lines.map(({ label, points }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const path = points.map(([x, y], at) => `${at === 0 ? "M" : "L"}${atX(x)} ${atY(y)}`).join("");
    const dots = points.map(([x, y]) => `<circle cx="${atX(x)}" cy="${atY(y)}" r="3" fill="${colour}"/>`).join("");
    const legend = `<text x="${left + width + 14}" y="${top + 14 + i * 20}" fill="${colour}">${escaped(label)}</text>`;
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}${legend}`;
  });
  return svg(760, top + height + 50, title, [...grid, ...drawn]);
}

function svg(width: number, height: number, title: string, parts: readonly string[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${FONT}>`;
  const ground = `<rect width="${width}" height="${height}" fill="#ffffff"/>`;
  const name = `<title>${escaped(title)}</title><text x="12" y="20" font-weight="bold" fill="${INK}">${escaped(title)}</text>`;
  return `${head}\n${[ground, name, ...parts].join("\n")}\n</svg>\n`;
}

/** The powers of ten around values, at least one apart. */
function decades(values: readonly number[]): readonly [number, number] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  return [low, Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

const fixed = (value: number): string => value.toFixed(1);
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
