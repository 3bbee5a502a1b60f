/** A file that may be rewritten together with others. */
export interface BinFile {
  readonly sizeBytes: number;
  /** Files of different partitions can't be one. */
  readonly partition: string;
  /** Whether rewriting it pays even alone. */
  readonly isWorthwhile: boolean;
}

/**
 * Groups of files of one partition that fill a file of the target size, the smallest first, so that a file is rewritten only where
 * fewer files come of it, or where it pays alone.
 */
export function packBins<File extends BinFile>(files: Iterable<File>, targetBytes: number): File[][] {
  const byPartition = new Map<string, File[]>();
  for (const file of files) {
    const others = byPartition.get(file.partition);
    if (others === undefined) byPartition.set(file.partition, [file]);
    else others.push(file);
  }
  const bins: File[][] = [];
  for (const group of byPartition.values()) {
    group.sort((a, b) => a.sizeBytes - b.sizeBytes);
    let bin: File[] = [];
    let binBytes = 0;
    for (const file of group) {
      if (bin.length > 0 && binBytes + file.sizeBytes > targetBytes) {
        bins.push(bin);
        [bin, binBytes] = [[], 0];
      }
      bin.push(file);
      binBytes += file.sizeBytes;
    }
    bins.push(bin);
  }
  return bins.filter((bin) => bin.length > 1 || bin.some(({ isWorthwhile }) => isWorthwhile));
}
