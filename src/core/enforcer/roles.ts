// Who may ask the enforcer what. The kernel says who is at the other end of the socket; a request
// says nothing about its sender.
//
// SPDX-License-Identifier: Apache-2.0

import { err, failure, ok, type Result } from '../result.ts';

export type Role = 'root' | 'agent' | 'reader' | 'stranger';

/** Every request of the protocol. */
export type RequestName =
  | 'status'
  | 'activate'
  | 'head'
  | 'trust'
  | 'force-trust'
  | 'read-trust'
  | 'preview-trust'
  | 'probe'
  | 'confirm'
  | 'restore'
  | 'rollback'
  | 'resume'
  | 'disable'
  | 'ask-glass'
  | 'use-glass'
  | 'end-glass'
  | 'list-glass'
  | 'remove-source'
  | 'events'
  | 'event'
  | 'records'
  | 'record'
  | 'follow';

/** The identities that the configuration names. */
export interface SocketOwners {
  readonly agentUid: number;
  /** Members may read status and events. */
  readonly readGid: number;
}

/** A peer as the kernel describes it. */
export interface Peer {
  readonly uid: number;
  /** Primary and supplementary groups. */
  readonly gids: readonly number[];
}

const READS: readonly RequestName[] = [
  'status',
  'read-trust',
  'list-glass',
  'events',
  'event',
  'records',
  'record',
  'follow',
];
const AGENT: readonly RequestName[] = [
  ...READS,
  'activate',
  'head',
  'trust',
  'probe',
  'confirm',
  'restore',
];

/** The role of a peer. Root is root even when the agent is configured to run as root. */
export function roleOf(peer: Peer, owners: SocketOwners): Role {
  if (peer.uid === 0) return 'root';
  if (peer.uid === owners.agentUid) return 'agent';
  return peer.gids.includes(owners.readGid) ? 'reader' : 'stranger';
}

/** Refuses what a role may not ask. */
export function checkRole(role: Role, request: RequestName): Result<void> {
  const allowed =
    role === 'root' ||
    (role === 'agent' && AGENT.includes(request)) ||
    (role === 'reader' && READS.includes(request));
  if (allowed) return ok(undefined);
  return err(
    failure('host/enforcer-denied', `${request} is not for this user`, {
      causes: [`the peer's role is ${role}`],
      hints: [
        role === 'stranger'
          ? 'run as root, or as a member of the group that the enforcer configuration names'
          : 'run as root',
      ],
    }),
  );
}
