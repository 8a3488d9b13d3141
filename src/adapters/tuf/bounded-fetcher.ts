// How the TUF client fetches: https (plain http on loopback alone, for tests), no redirects, one deadline for
// everything. The base class counts bytes against the length that is due. What went wrong on the way is
// remembered here, because the client tells all its refusals by one class.
//
// SPDX-License-Identifier: Apache-2.0

import { BaseFetcher } from 'tuf-js';
import { DownloadHTTPError } from 'tuf-js/dist/error.js';
import { err, failure, ok, type Result } from '../../core/result.ts';

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/;
/** Fetches for one update. */
export class BoundedFetcher extends BaseFetcher {
  /** Why the last request had no answer; null when it had one. */
  trouble: string | null = null;
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    super();
    this.#signal = signal;
  }

  override async fetch(url: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const response = await this.#watch(
      url,
      fetch(url, { redirect: 'error', signal: this.#signal }),
    );
    if (response.ok && response.body !== null) return this.#watched(url, response.body);
    this.trouble = `GET ${url} was answered with ${response.status}`;
    await response.body?.cancel();
    // The client takes 403 and 404 for "there is no newer root" (specification 5.3.3).
    throw new DownloadHTTPError('not served', response.status);
  }

  #watched(url: string, body: ReadableStream<Uint8Array<ArrayBuffer>>): typeof body {
    const reader = body.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await this.#watch(url, reader.read());
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }

  async #watch<T>(url: string, answer: Promise<T>): Promise<T> {
    this.trouble = null;
    try {
      return await answer;
    } catch (cause) {
      const { message, cause: inner } = cause as Error;
      this.trouble = `GET ${url} failed: ${inner instanceof Error ? inner.message : message}`;
      throw cause;
    }
  }
}

/** The base of all addresses of a repository, with a slash at its end. */
export function checkMirror(mirror: string): Result<URL> {
  const url = URL.parse(mirror);
  const isSafe =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname)));
  if (!isSafe || url.username !== '' || url.password !== '' || url.search + url.hash !== '') {
    const hints = ['give an https URL without user, query and fragment'];
    return err(failure('trust/update-mirror', `${mirror} cannot be a TUF repository`, { hints }));
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return ok(url);
}
