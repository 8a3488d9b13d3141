/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.h - Warder's kernel side for user space: load or adopt, fill, commit, read back, prove.
 *
 * Invariants:
 *  - One directory of pins per build of the object. A directory that bears a build's name is
 *    complete (all maps, all links that could be attached); half-made ones are called <build>-new
 *    and are removed by the next open. Nothing is created again under a pinned name.
 *  - The maps of a generation are filled, frozen and read back before any program can reach them.
 *    wd_commit() is exactly one map update; nothing else ever writes `committed`.
 *  - The bank that is committed is never written.
 *  - One handle per pin directory on a host, held by flock(2) on that directory.
 *
 * Deliberately absent: policy. The loader moves bytes that src/wire/abi.ts packed and reports
 * facts; what they mean is decided elsewhere. Not thread safe: one handle, one thread.
 */
#ifndef WD_LOADER_H
#define WD_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- host.c: what this host offers; never fails ------------------------------------------- */

#define WD_BUILD_MAX 64 /* hexadecimal digits of a build's name */
#define WD_LOG_TAIL 4096
#define WD_TAG_HEX 17 /* eight bytes in hexadecimal and the terminating zero */

/* One LSM hook that some program of programs.h wants. */
struct wd_hook_fact {
	const char *hook;
	const char *program; /* the variant for this kernel's prototype; NULL: none */
	int nargs;	     /* of bpf_lsm_<hook> in the kernel's BTF; -1: the hook is absent */
	uint32_t needs;	     /* as of struct wd_program */
};

struct wd_host {
	char release[66];
	bool btf;	    /* the kernel describes its types */
	bool bpffs;	    /* /sys/fs/bpf is a BPF file system */
	char lsm[512];	    /* /sys/kernel/security/lsm, "" when unreadable */
	uint64_t effective; /* capabilities, bit n is capability n */
	size_t hook_count;
	struct wd_hook_fact hooks[WD_HOOKS * 2];
};

void wd_probe_host(struct wd_host *ret_host);

/* --- open.c ------------------------------------------------------------------------------- */

struct wd_kernel; /* an open handle */

enum wd_program_state {
	WD_PROGRAM_UNSET = 0,
	WD_PROGRAM_ATTACHED = 1,
	WD_PROGRAM_REJECTED = 2, /* the kernel refused to load or attach it */
	WD_PROGRAM_ABSENT = 3,	 /* no such hook, prototype or program */
	WD_PROGRAM_IDLE = 4,	 /* on demand, and no generation in force demands it */
};

struct wd_program {
	const char *program;
	const char *hook;
	uint32_t hook_id; /* enum wd_hook */
	uint32_t needs;	  /* of programs.h: bit n for operation n, bit 31 for only-if-present */
	enum wd_program_state state;
	int err;		 /* of the rejection */
	char step[32];		 /* "load", "attach" or "pin" when rejected */
	char *log;		 /* last lines of the verifier's log, or NULL */
	int link_fd;		 /* -1 unless attached */
	struct wd_loaded loaded; /* as it was loaded in this boot; all zero: not known yet */
};

struct wd_open_options {
	const void *object; /* bytes of warder.bpf.o; copied */
	size_t object_bytes;
	const char *build;   /* lower-case hexadecimal name of these bytes */
	const char *pin_dir; /* below a BPF file system; made when missing */
	bool fresh;	     /* move pins of this build aside in place of adopting them */
};

/* Codes: argument, bpffs, busy, pin, object, adopt, map-create, btf, memory. Programs that the
 * kernel refuses are no error; see wd_programs(). */
int wd_open(const struct wd_open_options *options, struct wd_kernel **ret_kernel,
	    struct wd_error *reterr_error);
void wd_close(struct wd_kernel *kernel);

bool wd_adopted(const struct wd_kernel *kernel);
size_t wd_programs(const struct wd_kernel *kernel, const struct wd_program **ret_programs);

/* --- retire.c: taking pins away ------------------------------------------------------------- */

struct wd_removal {
	uint32_t links;	 /* pins of links removed */
	uint32_t builds; /* directories removed */
	uint32_t alive;	 /* links among them that still existed when the wait ended */
};

/* Removes the pins of every build but this one. Code committed-elsewhere: another build enforces
 * a generation and this one does not, so retiring it would lower protection. */
int wd_retire_other(struct wd_kernel *kernel, struct wd_removal *ret_removal,
		    struct wd_error *reterr_error);
/* Removes all pins of all builds and closes the handle, also when it fails. */
int wd_disable(struct wd_kernel *kernel, struct wd_removal *ret_removal,
	       struct wd_error *reterr_error);
/* The same without an object to open. A missing directory is success. Code: busy. */
int wd_disable_pins(const char *pin_dir, struct wd_removal *ret_removal,
		    struct wd_error *reterr_error);

/* --- resolve.c ---------------------------------------------------------------------------- */

/* Asks the kernel for the identity of a path through O_PATH: nothing is opened for real, so FIFOs
 * and devices do not notice. Codes: open, stat, resolve (the resolver program did not answer). */
int wd_resolve_path(struct wd_kernel *kernel, const char *path, bool follow,
		    struct wd_resolve *ret_identity, struct wd_error *reterr_error);

/* --- self.c ------------------------------------------------------------------------------- */

/* Closes Warder's maps, programs, pins' file system and this process to every other process. After
 * it, only a process that executed `launcher` and then `runtime` can open this build again. Codes:
 * open, stat, resolve, protect. */
int wd_protect(struct wd_kernel *kernel, const char *launcher, const char *runtime,
	       struct wd_error *reterr_error);
int wd_unprotect(struct wd_kernel *kernel, struct wd_error *reterr_error);

/* --- verity.c ----------------------------------------------------------------------------- */

#define WD_VERITY_BYTES 32 /* SHA-256 */

struct wd_verity {
	bool present;
	uint8_t digest[WD_VERITY_BYTES];
};

/* The fs-verity digest of a file, if it has one. Code: open. */
int wd_measure_verity(const char *path, struct wd_verity *ret_verity,
		      struct wd_error *reterr_error);

/* --- scan.c ------------------------------------------------------------------------------- */

struct wd_scan {
	struct wd_identity *identities; /* a file that was met twice is here twice */
	size_t count;
	uint32_t entries; /* names visited */
};

/* Finds the regular files of a tree that have more than one link, without paths and across no
 * mount; what is no directory has none. Free with wd_scan_free(). Codes: open, scan, too-large
 * (more than `entries_max` names), moved (the tree kept changing), memory, stat, resolve. */
int wd_scan_tree(struct wd_kernel *kernel, const char *root, uint32_t entries_max,
		 struct wd_scan *ret_scan, struct wd_error *reterr_error);
void wd_scan_free(struct wd_scan *scan);

/* --- bank.c, commit.c --------------------------------------------------------------------- */

enum wd_table {
	WD_TABLE_OBJECTS = 0,
	WD_TABLE_NAMES = 1,
	WD_TABLE_LABELS = 2,
	WD_TABLE_EXEMPT = 3,
	WD_TABLE_GROUPS = 4,
	WD_TABLES = 5,
};

/* Rows are key||value without padding between rows. */
struct wd_rows {
	uint8_t *bytes;
	size_t length;
};

struct wd_image {
	struct wd_generation header;
	struct wd_rows tables[WD_TABLES];
};

struct wd_bank_ids {
	uint32_t header; /* ids of maps; 0: none there */
	uint32_t tables[WD_TABLES];
};

struct wd_committed {
	bool present;
	struct wd_generation header;
	struct wd_bank_ids ids;
};

size_t wd_table_key_bytes(enum wd_table table);
size_t wd_table_value_bytes(enum wd_table table);
const char *wd_table_name(enum wd_table table);

/* Codes: argument, committed (this bank is in force), map-create, map-update, freeze, map-read,
 * readback, outer-update, pin. */
int wd_fill(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
	    struct wd_error *reterr_error);
/* Attaches what only this generation needs before, detaches what it does not need after the one
 * update. Codes: argument, bank-empty, map-read, attach, commit. */
int wd_commit(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error);
int wd_read_committed(struct wd_kernel *kernel, struct wd_committed *ret_committed,
		      struct wd_error *reterr_error);
/* The rows as the kernel has them, sorted by the bytes of the key; free with wd_image_free(). */
int wd_read_back(struct wd_kernel *kernel, uint32_t bank, struct wd_image *ret_image,
		 struct wd_error *reterr_error);
void wd_image_free(struct wd_image *image);
int wd_read_bank_ids(struct wd_kernel *kernel, uint32_t bank, struct wd_bank_ids *ret_ids,
		     struct wd_error *reterr_error);
int wd_clear(struct wd_kernel *kernel, uint32_t bank, struct wd_error *reterr_error);

/* --- glass.c ------------------------------------------------------------------------------ */

/* Puts break-glass in use, or takes it away (NULL), by one update that returns after the last reader
 * of what was there before. Codes: argument, map-create, map-update, freeze, readback, glass. */
int wd_set_glass(struct wd_kernel *kernel, const struct wd_glass *glass,
		 struct wd_error *reterr_error);
/* As the kernel has it; *ret_present is false when there is none. It may have ended. */
int wd_read_glass(struct wd_kernel *kernel, bool *ret_present, struct wd_glass *ret_glass,
		  struct wd_error *reterr_error);

/* --- events.c ----------------------------------------------------------------------------- */

/* One entry per possible CPU; free with free(). */
int wd_read_counters(struct wd_kernel *kernel, struct wd_counters **ret_counters, size_t *ret_cpus,
		     struct wd_error *reterr_error);

/* While expected, denials of this process's children are told first, from a ring of their own. Code:
 * map-update. */
int wd_expect_canaries(struct wd_kernel *kernel, bool expected, struct wd_error *reterr_error);

typedef void (*wd_event_fn)(void *context, const void *bytes, size_t length);
/* Hands over at most `max` events without waiting; an event handed over is consumed. */
int wd_drain_events(struct wd_kernel *kernel, uint32_t max, wd_event_fn take, void *context,
		    struct wd_error *reterr_error);

/* --- proof.c ------------------------------------------------------------------------------ */

struct wd_proof {
	const struct wd_program *program;
	bool pinned; /* the pin exists and leads to a link */
	bool own;    /* ... which is the one that this handle attached or adopted */
	bool lsm;    /* the program is an LSM program, attached as one */
	bool maps;   /* it uses the maps of this handle, in the places of the object's program */
	uint32_t link_id;
	uint32_t prog_id;
	char attached_to[128]; /* BTF function of link -> program -> attach_btf_id; "" unknown */
	char tag[WD_TAG_HEX];
	char expected_tag[WD_TAG_HEX]; /* of the same program loaded by this process; "" refused */
	uint64_t recursion_misses;
	uint64_t run_count; /* 0 unless kernel.bpf_stats_enabled */
};

/* One entry per program of wd_programs(); free with free(). Codes: btf, object, memory. */
int wd_read_proof(struct wd_kernel *kernel, struct wd_proof **ret_proof, size_t *ret_count,
		  struct wd_error *reterr_error);

struct wd_map_proof {
	const char *map;
	bool pinned; /* the pin leads to the map that this handle fills and reads */
};

/* One entry per map of the object; free with free(). Code: memory. */
int wd_read_map_proof(struct wd_kernel *kernel, struct wd_map_proof **ret_proof, size_t *ret_count,
		      struct wd_error *reterr_error);

/* --- canary.c ----------------------------------------------------------------------------- */

struct wd_try {
	const char *op; /* a name of wd_try_names() */
	const char *path;
	const char *path2; /* second path of rename, exchange, link, symlink; else NULL */
};

#define WD_TRY_UNANSWERED (-1)
#define WD_TRY_DEADLINE_MS 5000

const char *const *wd_try_names(void); /* NULL-terminated */
bool wd_try_needs_path2(const char *op);
/* One ordinary child of this process makes the system calls; errnos[i] is 0, an errno, or
 * WD_TRY_UNANSWERED for what it did not answer before the deadline. Codes: argument, fork. */
int wd_try_all(const struct wd_try *tries, size_t count, unsigned int deadline_ms, int *ret_errnos,
	       struct wd_error *reterr_error);

/* --- socket.c ----------------------------------------------------------------------------- */

struct wd_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

int wd_peer_credentials(int fd, struct wd_peer *ret_peer, struct wd_error *reterr_error);
/* Sends to $NOTIFY_SOCKET; *ret_sent is false when there is none. */
int wd_notify(const char *message, bool *ret_sent, struct wd_error *reterr_error);

#ifdef __cplusplus
}
#endif

#endif
