/** The median; of an even number of figures, the mean of the two in the middle. */
export function median(figures: readonly number[]): number {
  if (figures.length === 0) throw new RangeError("no figures");
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Differences of figures that were taken in turn, pair by pair. */
export function differences(a: readonly number[], b: readonly number[]): number[] {
  return a.map((figure, index) => figure - b[index]!);
}

/** Ratios of figures that were taken in turn, pair by pair. */
export function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((figure, index) => figure / b[index]!);
}
