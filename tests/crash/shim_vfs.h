/* shim_vfs.h - an SQLite VFS over the system's that can lose, fail and delay. For tests only.
 *
 * Power cut: what was written since a file's last sync is kept apart; a cut gives each of these
 * 512-byte sectors the fate of a coin: written, or not; one is torn (half new, half noise). All
 * access fails afterwards. Faults: the n-th write, sync, read or truncation fails. All functions
 * may be called from any thread. One shim in a process. */
#ifndef MED_TESTS_SHIM_VFS_H
#define MED_TESTS_SHIM_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define SHIM_VFS_NAME "medulla-shim"

enum shim_call { SHIM_WRITE, SHIM_SYNC, SHIM_READ, SHIM_TRUNCATE, SHIM_CALLS };

bool shim_register(void);
/* Forgets all files, faults and counts. No file may be open. */
void shim_reset(void);

/* Keep apart what is not synced (needed for shim_cut; costs memory and time). */
void shim_track(bool on);
/* As if fsync were taken out of the program: syncs are counted but save nothing. */
void shim_ignore_syncs(bool on);
/* Each sync takes that long. */
void shim_slow_sync(unsigned microseconds);
/* The n-th call from now (1 = the next) fails with `code` (SQLITE_IOERR_WRITE, SQLITE_FULL...);
 * `times` more after it, too; UINT64_MAX = for ever. n = 0: no fault. */
void shim_fail(enum shim_call call, uint64_t n, uint64_t times, int code);
uint64_t shim_count(enum shim_call call);
/* True while the last write went to the main file: a checkpoint is running. */
bool shim_in_checkpoint(void);
/* Called before each write and sync, with the lock of the shim not held. NULL: nothing. */
void shim_on_call(void (*hook)(enum shim_call call, bool main_file));

/* The power goes, now: every later access fails. Writes what the disk then holds of the files
 * of one store into the directory `to` (which must exist), by their own names. Call it once
 * between resets. */
bool shim_cut(uint64_t seed, const char *to);

#endif
