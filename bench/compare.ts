// SPDX-License-Identifier: Apache-2.0
// From measurements to comparisons: what attached programs add to an operation, beside what the same
// arithmetic says where nothing was attached.

/** One line of `cost`. */
export interface Measurement {
  readonly quad: number;
  /**
   * What the middle two blocks had: `ab`: the programs attached; `ac`: AppArmor's profile, the programs
   * detached; `aa`: neither, the control.
   */
  readonly kind: 'ab' | 'ac' | 'aa';
  readonly workload: string;
  readonly place: number;
  readonly each: number;
}

/** A mean over quads and the range that its quads span, in instructions per operation. */
export interface Delta {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Comparison {
  readonly workload: string;
  readonly base: number;
  readonly added: Delta;
  /** What AppArmor adds, confined; null where it was not measured. */
  readonly apparmor: Delta | null;
  readonly control: Delta;
  /** The control does not span 0: the machine drifted, and `added` says nothing. */
  readonly inconclusive: boolean;
}

const OUTER = [0, 3];
const INNER = [1, 2];

/** Reads `QUAD|KIND|WORKLOAD|PLACE|INSTRUCTIONS|ITERATIONS` lines; others are left out. */
export function readMeasurements(lines: readonly string[]): readonly Measurement[] {
  return lines
    .map((line) => line.split('|'))
    .filter((words) => words.length === 6)
    .map(([quad, kind, workload = '', place, instructions, iterations]) => ({
      quad: Number(quad),
      kind: kind === 'ab' || kind === 'ac' ? kind : 'aa',
      workload,
      place: Number(place),
      each: Number(instructions) / Number(iterations),
    }));
}

/** Compares every workload, in the order in which they were measured first. */
export function compare(measurements: readonly Measurement[]): readonly Comparison[] {
  const workloads = [...new Set(measurements.map((it) => it.workload))];
  return workloads.map((workload) => {
    const own = measurements.filter((it) => it.workload === workload);
    const control = deltaOf(own.filter((it) => it.kind === 'aa'));
    const confined = own.filter((it) => it.kind === 'ac');
    return {
      workload,
      base: mean(own.filter((it) => it.kind === 'aa').map((it) => it.each)),
      added: deltaOf(own.filter((it) => it.kind === 'ab')),
      apparmor: confined.length === 0 ? null : deltaOf(confined),
      control,
      inconclusive: control.low > 0 || control.high < 0,
    };
  });
}

function deltaOf(measurements: readonly Measurement[]): Delta {
  const quads = [...new Set(measurements.map((it) => it.quad))];
  const deltas = quads.map((quad) => {
    const at = (places: readonly number[]) =>
      mean(
        measurements
          .filter((it) => it.quad === quad && places.includes(it.place))
          .map((it) => it.each),
      );
    return at(INNER) - at(OUTER);
  });
  return { mean: mean(deltas), low: Math.min(...deltas), high: Math.max(...deltas) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, it) => sum + it, 0) / values.length;
}
