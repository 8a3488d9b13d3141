/* SPDX-License-Identifier: Apache-2.0 */
/*
 * internal.h - what the files of the loader share among themselves.
 */
#ifndef WD_INTERNAL_H
#define WD_INTERNAL_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <limits.h>

#include "loader.h"

#define WD_MAPS_MAX 32
#define WD_MAP_NAME 32
#define WD_LAYOUT_MODULES 2

/* One map of the object, by the name it has there. */
struct wd_map {
	char name[WD_MAP_NAME]; /* dots replaced: bpffs refuses them */
	int fd;
	uint32_t key_bytes;
	uint32_t value_bytes;
	uint32_t entries;
	struct bpf_map_create_opts inner_opts; /* flags of the inner maps, if it holds maps */
	uint32_t inner_type;		       /* 0: holds no maps */
	uint32_t inner_key_bytes;
	uint32_t inner_value_bytes;
	uint32_t inner_entries;
};

/* A row of programs.h. */
struct wd_program_spec {
	const char *program;
	const char *hook;
	uint32_t hook_id;
	int nargs;
	uint32_t needs; /* WD_NEED() bits and WD_NEED_IF_PRESENT */
};

struct wd_kernel {
	void *object;
	size_t object_bytes;
	char pin_dir[PATH_MAX / 4]; /* leaves room for what is appended */
	char build[WD_BUILD_MAX + 1];
	char build_dir[PATH_MAX / 2];
	int lock_fd;
	bool adopted;
	size_t map_count;
	struct wd_map maps[WD_MAPS_MAX];
	size_t program_count;
	struct wd_program programs[WD_HOOKS * 2];
	struct wd_program resolver; /* attached while identities are asked for, never pinned */
	int resolver_fd;	    /* of the loaded program, or -1 */
	struct ring_buffer *events;
	bool layout_seen[WD_LAYOUT_MODULES]; /* this process has read the module's BTF */
	void *drain;			     /* of the wd_drain_events() that runs now */
};

/* --- specs.c --- */
extern const struct wd_program_spec wd_specs[];
extern const size_t wd_spec_count;
/* Arguments of bpf_lsm_<hook>, or -1. */
int wd_hook_nargs(const struct btf *btf, const char *hook);
/* True for the first row of its hook, so that a loop over rows sees each hook once. */
bool wd_spec_is_first(size_t index);
/* The row of `hook` written for `nargs` arguments, or NULL. */
const struct wd_program_spec *wd_spec_for(const char *hook, int nargs);

/* --- object.c --- */
struct bpf_object *wd_object_open(struct wd_kernel *kernel, struct wd_error *reterr_error);
int wd_read_definitions(struct wd_kernel *kernel, struct bpf_object *object,
			struct wd_error *reterr_error);
/* Loads the named programs on the maps of the handle; fds[i] is -1 where `wanted[i]` is false.
 * All or nothing: the caller tries smaller sets. */
int wd_load_set(struct wd_kernel *kernel, const bool *wanted, int *ret_fds,
		struct wd_error *reterr_error);
/* Loads one program by its name on the maps of the handle. */
int wd_load_one(struct wd_kernel *kernel, const char *name, int *ret_fd,
		struct wd_error *reterr_error);
/* Chooses what an object that was just opened will load: these programs and the resolver. */
int wd_choose_first(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		    struct wd_error *reterr_error);
/* The descriptors of what it then loaded. */
int wd_take_first(struct wd_kernel *kernel, struct bpf_object *object, const bool *wanted,
		  int *ret_fds, struct wd_error *reterr_error);
struct wd_map *wd_map_named(struct wd_kernel *kernel, const char *name);

/* --- programs.c --- */
int wd_choose_programs(struct wd_kernel *kernel, struct wd_error *reterr_error);
void wd_check_programs(struct wd_kernel *kernel, struct bpf_object *object);
/* Loads, attaches and pins what is pending: in one go, or singly when the kernel refuses anything. */
void wd_attach_pending(struct wd_kernel *kernel, const char *dir);
void wd_attach_singly(struct wd_kernel *kernel, const char *dir);
/* The same for what is loaded already; consumes the descriptors. */
void wd_attach_loaded(struct wd_kernel *kernel, const bool *wanted, const int *fds,
		      const char *dir);
size_t wd_count_pending(const struct wd_kernel *kernel, bool *ret_wanted);
/* Programs that are attached on demand: those that the generation needs, and the others. */
int wd_attach_demanded(struct wd_kernel *kernel, const struct wd_generation *header,
		       struct wd_error *reterr_error);
void wd_detach_idle(struct wd_kernel *kernel, const struct wd_generation *header);

/* --- adopt.c --- */
int wd_adopt_maps(struct wd_kernel *kernel, const char *dir, struct wd_error *reterr_error);
void wd_adopt_links(struct wd_kernel *kernel, const char *dir);
/* Do the programs of the adopted links use the adopted maps? */
int wd_check_adopted(struct wd_kernel *kernel, struct wd_error *reterr_error);
int wd_read_map_info(int fd, struct bpf_map_info *ret_info);

/* --- loaded.c --- */
/* What a program is; the rest of what the kernel says of it is in *ret_info. */
int wd_read_loaded(int prog_fd, struct wd_loaded *ret_loaded, struct bpf_prog_info *ret_info);
bool wd_is_known(const struct wd_loaded *loaded);
/* Remembers what this process loaded, for the processes after it too. */
void wd_note_loaded(struct wd_kernel *kernel, struct wd_program *program, int prog_fd);
/* Learns what was adopted: as it was kept, or by loading it without attaching it. */
void wd_learn_loaded(struct wd_kernel *kernel);

/* --- pins.c --- */
#define WD_DIR_MODE 0700
int wd_join(char *ret_path, size_t size, struct wd_error *reterr_error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
int wd_make_dir(const char *path, struct wd_error *reterr_error);
int wd_lock_pin_dir(const char *pin_dir, int *ret_fd, struct wd_error *reterr_error);
/* Removes one build's directory, links first; a missing one is success. Ids of the links removed
 * are appended to `ids` as far as there is room. */
struct wd_link_ids {
	uint32_t count;
	uint32_t removed;
	uint32_t ids[WD_HOOKS * 8];
};
int wd_remove_build(const char *build_dir, struct wd_link_ids *ids, struct wd_error *reterr_error);
bool wd_is_build_name(const char *name);
/* Renames a build's directory; its links stay pinned and go on deciding. */
int wd_move_aside(const char *build_dir, struct wd_error *reterr_error);

/* --- rows.c --- */
int wd_write_rows(int fd, const char *object, const struct wd_rows *rows, uint32_t key_bytes,
		  uint32_t value_bytes, struct wd_error *reterr_error);
/* All rows of a hash or array, sorted by the bytes of the key. */
int wd_read_rows(int fd, const char *object, struct wd_rows *ret_rows,
		 struct wd_error *reterr_error);
void wd_sort_rows(struct wd_rows *rows, size_t row_bytes, size_t key_bytes);

/* --- resolve.c --- */
/* Attaches the resolver program, if it is not; wd_rest() lets it go. */
int wd_begin_resolving(struct wd_kernel *kernel, struct wd_error *reterr_error);
void wd_rest(struct wd_kernel *kernel);
/* Asks the resolver program for the identity behind an O_PATH descriptor. The map stays written
 * until wd_stop_resolving(); with `lister_ns` (thread_ns of an earlier answer) this thread may list
 * any directory until then. */
int wd_identify(struct wd_map *map, int fd, uint64_t lister_ns, struct wd_resolve *ret_identity,
		struct wd_error *reterr_error);
/* `reterr_error` may be NULL, when an earlier error is to be told. */
int wd_stop_resolving(struct wd_map *map, struct wd_error *reterr_error);

/* Resolves a path, and makes the process that asks the enforcer; see struct wd_self. */
int wd_claim_path(struct wd_kernel *kernel, const char *path, struct wd_resolve *ret_identity,
		  struct wd_error *reterr_error);

/* --- self.c --- */
/* Lists one map or the program of one link as Warder's. */
int wd_own_map(struct wd_kernel *kernel, int fd, struct wd_error *reterr_error);
int wd_own_program(struct wd_kernel *kernel, int link_fd, struct wd_error *reterr_error);
/* Lists all that the handle has, and takes from the list what no longer exists. */
int wd_own_everything(struct wd_kernel *kernel, struct wd_error *reterr_error);

/* --- layouts.c --- */
/* Tells the programs of modules that were loaded since. Code: resolve. */
int wd_learn_layouts(struct wd_kernel *kernel, struct wd_error *reterr_error);

/* --- filter.c --- */
/* Makes the frozen filter of these rows; *ret_fd is -1 when the object has none. */
int wd_make_filter(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
		   int *ret_fd, struct wd_error *reterr_error);
/* Does the bank's filter say what these rows say? */
int wd_check_filter(struct wd_kernel *kernel, uint32_t bank, const struct wd_image *image,
		    struct wd_error *reterr_error);

/* --- bank.c --- */
int wd_header_path(struct wd_kernel *kernel, uint32_t bank, char *ret_path, size_t size,
		   struct wd_error *reterr_error);
int wd_check_bank(uint32_t bank, struct wd_error *reterr_error);
/* fd of the inner map at outer[index]; -1 with err 0 when the slot is empty. */
int wd_inner_fd(struct wd_map *outer, uint32_t index, uint32_t *ret_id,
		struct wd_error *reterr_error);
/* Makes one inner map with exactly these rows, frozen and compared; returns its descriptor. */
int wd_make_inner(struct wd_kernel *kernel, struct wd_map *outer, uint32_t bank,
		  const struct wd_rows *rows, struct wd_error *reterr_error);
struct wd_map *wd_table_map(struct wd_kernel *kernel, enum wd_table table);

#endif
