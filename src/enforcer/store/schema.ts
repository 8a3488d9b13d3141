// Tables of the enforcer's own store. A list only ever grows: its length is the version of the file.
//
// SPDX-License-Identifier: Apache-2.0

/** Migrations in order. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

   -- One row per bundle that this host admitted; never removed, so that a return can be judged.
   CREATE TABLE admitted (
     digest TEXT PRIMARY KEY,
     version INTEGER NOT NULL,
     summary TEXT NOT NULL,
     trust_fingerprint TEXT NOT NULL,
     verified_at TEXT NOT NULL,
     checks TEXT NOT NULL
   ) STRICT;

   -- The bytes that verification saw, so that it can be repeated offline.
   CREATE TABLE evidence (
     digest TEXT NOT NULL REFERENCES admitted (digest),
     kind TEXT NOT NULL CHECK (kind IN ('manifest', 'config', 'file', 'attestation')),
     position INTEGER NOT NULL,
     blob_digest TEXT NOT NULL,
     bytes BLOB NOT NULL,
     PRIMARY KEY (digest, kind, position)
   ) STRICT;

   -- Written before the kernel is touched, so that whatever is committed there is known here.
   CREATE TABLE generations (
     generation INTEGER PRIMARY KEY,
     digest TEXT REFERENCES admitted (digest),
     bank INTEGER NOT NULL,
     image_digest TEXT NOT NULL,
     header_map_id INTEGER,
     boot_id TEXT NOT NULL,
     canary_dir TEXT NOT NULL,
     rules TEXT NOT NULL,
     demoted TEXT NOT NULL,
     committed_at TEXT,
     confirmed INTEGER NOT NULL CHECK (confirmed IN (0, 1))
   ) STRICT;

   CREATE TABLE events (
     position INTEGER PRIMARY KEY AUTOINCREMENT,
     id TEXT NOT NULL UNIQUE,
     event TEXT NOT NULL
   ) STRICT;`,
  // 2: a flood is counted where it is not explained.
  `CREATE TABLE suppressed (
     rule TEXT NOT NULL, -- empty: no rule decided
     action TEXT NOT NULL CHECK (action IN ('deny', 'audit')),
     reason TEXT NOT NULL,
     generation INTEGER NOT NULL,
     count INTEGER NOT NULL,
     first_at TEXT NOT NULL,
     last_at TEXT NOT NULL,
     PRIMARY KEY (rule, action, reason, generation)
   ) STRICT;
   -- Events kept from before have no stacks.
   UPDATE events SET event = json_set(event, '$.stacks', json('{"kernel":null,"user":null}'));`,
  // 3: break-glass. A nonce is asked for, then used once; what was used is never removed.
  `CREATE TABLE break_glass (
     nonce TEXT PRIMARY KEY,
     boot_id TEXT NOT NULL,
     asked_ms REAL NOT NULL, -- boot time
     used TEXT -- the record; null: nobody has used it yet
   ) STRICT;
   CREATE TABLE suppressed_3 (
     rule TEXT NOT NULL, -- empty: no rule decided
     action TEXT NOT NULL CHECK (action IN ('deny', 'audit', 'let')),
     reason TEXT NOT NULL,
     generation INTEGER NOT NULL,
     count INTEGER NOT NULL,
     first_at TEXT NOT NULL,
     last_at TEXT NOT NULL,
     PRIMARY KEY (rule, action, reason, generation)
   ) STRICT;
   INSERT INTO suppressed_3 SELECT * FROM suppressed;
   DROP TABLE suppressed;
   ALTER TABLE suppressed_3 RENAME TO suppressed;
   UPDATE events SET event = json_set(event, '$.breakGlass', null);`,
  // 4: several sources. What was there belongs to the main one; a generation holds a bundle of each.
  `ALTER TABLE admitted ADD COLUMN source TEXT NOT NULL DEFAULT '';
   ALTER TABLE generations ADD COLUMN content TEXT NOT NULL DEFAULT '[]';
   ALTER TABLE generations ADD COLUMN changed TEXT; -- the digest that it was made for; null: for none
   UPDATE generations SET content = json_array(digest), changed = digest WHERE digest IS NOT NULL;`,
  // 5: what the attach proof compares with: all maps of a generation, not only its header, and the programs
  // that it was compiled for.
  `ALTER TABLE generations DROP COLUMN header_map_id;
   ALTER TABLE generations ADD COLUMN map_ids TEXT;
   ALTER TABLE generations ADD COLUMN programs TEXT NOT NULL DEFAULT '[]';`,
  // 6: the trusted root that an admission was judged by, so that evidence outlives a root that is rotated (L04).
  `CREATE TABLE roots (digest TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
   -- Null: there was none, or it is of before this.
   ALTER TABLE admitted ADD COLUMN root TEXT REFERENCES roots (digest);`,
  // 7: paths of a generation that could not be resolved when it was made again.
  "ALTER TABLE generations ADD COLUMN left_out TEXT NOT NULL DEFAULT '[]';",
];
