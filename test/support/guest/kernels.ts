// Which guest kernels are in the cache. Set-up fetches them; what it could not fetch is skipped.
//
// SPDX-License-Identifier: Apache-2.0

interface SetupKernels {
  findSeries(wanted: string): string | null;
  findKernel(series: string): { readonly modules: string | null } | null;
}

const SETUP = new URL('../../../packaging/setup/kernels.mjs', import.meta.url).href;

/**
 * The series in the cache that is meant: a full one such as '6.12', or the newest of a major version
 * such as '7'. Null with nothing cached: the caller skips.
 */
export async function cachedSeries(wanted: string): Promise<string | null> {
  const { findSeries, findKernel } = (await import(SETUP)) as SetupKernels;
  const series = findSeries(wanted);
  return series !== null && findKernel(series) !== null ? series : null;
}

/** Whether the modules of a series are in the cache; Debian drops them before it drops the kernel. */
export async function haveModules(series: string): Promise<boolean> {
  const { findKernel } = (await import(SETUP)) as SetupKernels;
  return findKernel(series)?.modules !== null;
}
