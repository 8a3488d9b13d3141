// overlayfs: rules on the lower, the upper and the merged file, copy-up, and whose credentials count.
//
// SPDX-License-Identifier: Apache-2.0

import { A, type Attempt, type Case, D, type Expected, exempt } from './case.ts';

const LAYERS = 'mkdir $D/lower $D/upper $D/work $D/merged';
const overlay = (options: string) =>
  `mount -t overlay overlay -o lowerdir=$D/lower,upperdir=$D/upper,workdir=$D/work${options} $D/merged`;
const asAlice = (path: string, expect: Expected): Attempt => ({
  run: ['open-read', path],
  expect,
  as: 'alice',
});

type Row = Omit<Case, 'detach' | 'deny'>;

const ROWS: readonly Row[] = [
  {
    id: '27',
    title: 'overlay: a rule on the lower file, opened through the overlay',
    setup: `${LAYERS}; echo s > $D/lower/secret`,
    protect: [{ path: '$D/lower/secret' }],
    attempts: [D('open-read', '$D/merged/secret'), D('open-read', '$D/lower/secret')],
  },
  {
    id: '27b',
    title: 'overlay: a tree on the lower side',
    setup: `${LAYERS}; mkdir $D/lower/tree; echo s > $D/lower/tree/secret`,
    protect: [{ tree: '$D/lower/tree' }],
    attempts: [D('open-read', '$D/merged/tree/secret')],
  },
  {
    id: '27c',
    title: 'overlay: a rule on the lower file that exempts whoever mounted it, opened by another',
    setup: `${LAYERS}; echo s > $D/lower/secret; chmod 666 $D/lower/secret`,
    protect: [{ path: '$D/lower/secret' }],
    exemptUid: 0,
    attempts: [asAlice('$D/merged/secret', 'D'), A('open-read', '$D/merged/secret')],
  },
  {
    id: '28',
    title: 'overlay: a rule on the merged path of an upper file',
    setup: `${LAYERS}; echo s > $D/upper/secret; echo x > $D/upper/other`,
    protect: [{ path: '$D/merged/secret' }],
    attempts: [
      D('open-read', '$D/merged/secret'),
      D('chmod', '$D/merged/secret'),
      D('unlink', '$D/merged/secret'),
      A('open-read', '$D/merged/other'),
    ],
  },
  {
    id: '28b',
    title: 'overlay: a rule on the upper file, opened through the overlay',
    setup: `${LAYERS}; echo s > $D/upper/secret`,
    protect: [{ path: '$D/upper/secret' }],
    attempts: [D('open-read', '$D/merged/secret')],
  },
  // Only the open beneath has anything to do with the rule, and overlayfs makes it with the mounter's credentials.
  {
    id: '28c',
    title: 'overlay: a rule on the upper file that exempts whoever mounted it, opened by another',
    setup: `${LAYERS}; echo s > $D/upper/secret; chmod 666 $D/upper/secret`,
    protect: [{ path: '$D/upper/secret' }],
    exemptUid: 0,
    attempts: [asAlice('$D/merged/secret', 'D'), A('open-read', '$D/merged/secret')],
  },
  {
    id: '28d',
    title: 'overlay: a rule on the upper file that exempts who opens it, not whoever mounted it',
    setup: `${LAYERS}; echo s > $D/upper/secret; chmod 666 $D/upper/secret`,
    protect: [{ path: '$D/upper/secret' }],
    exemptUid: 1000,
    attempts: [asAlice('$D/merged/secret', 'A'), D('open-read', '$D/merged/secret')],
  },
  {
    id: '29',
    title: 'overlay: a lower file protected by its merged path, copied up by an exempt subject',
    setup: `${LAYERS}; echo s > $D/lower/secret`,
    protect: [{ path: '$D/merged/secret' }],
    attempts: [
      exempt('chmod', '$D/merged/secret'),
      exempt('open-write', '$D/merged/secret'),
      D('open-read', '$D/merged/secret'),
      D('open-write', '$D/merged/secret'),
    ],
  },
  {
    id: '29b',
    title: 'overlay: a protected lower file, copied up by an exempt subject',
    setup: `${LAYERS}; echo s > $D/lower/secret`,
    protect: [{ path: '$D/lower/secret' }],
    attempts: [exempt('open-write', '$D/merged/secret'), D('open-read', '$D/merged/secret')],
  },
  {
    id: '30',
    title: 'overlay with metacopy and redirect_dir',
    setup: `${LAYERS}; mkdir $D/lower/dir; echo s > $D/lower/secret; echo s > $D/lower/dir/secret`,
    attach: overlay(',metacopy=on,redirect_dir=on'),
    protect: [{ path: '$D/merged/secret' }, { path: '$D/merged/dir/secret' }],
    attempts: [
      exempt('chmod', '$D/merged/secret'),
      D('open-read', '$D/merged/secret'),
      exempt('rename', '$D/merged/dir', '$D/merged/moved'),
      D('open-read', '$D/merged/moved/secret'),
    ],
  },
];

/** Each in every variant, of two directories merged at a third, and denied everything. */
export const LAYERED: readonly Case[] = ROWS.map((row) => ({
  attach: overlay(''),
  detach: 'umount $D/merged',
  deny: 'all',
  ...row,
}));
