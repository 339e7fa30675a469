/*
 * key_map.h
 *	  A bounded map from a record's key to the offset of its last record.
 */
#ifndef KEY_MAP_H
#define KEY_MAP_H

typedef struct KeyMap KeyMap;

/*
 * Make a map for expected_keys keys, or for as many as fit into memory_limit bytes if that
 * is less.  It lives in a memory context of its own below "parent" and belongs to the
 * current resource owner: the caller frees it, or a rollback does.
 */
extern KeyMap *pgt_key_map_create(MemoryContext parent, Size memory_limit, uint64 expected_keys);

/*
 * Remember the offset as the last one of the key.  False if the key is new and the map is
 * full: then nothing has changed.
 *
 * REQUIRES: length >= 0 (the map takes no null key), offset >= 0, and the offsets of a key
 * come in ascending order.
 */
extern bool pgt_key_map_put(KeyMap *map, const char *key, int32 length, int64 offset);

/* The key's last offset, or -1 if the map does not have the key. */
extern int64 pgt_key_map_get(const KeyMap *map, const char *key, int32 length);

/* How many keys the map has. */
extern uint64 pgt_key_map_count(const KeyMap *map);

/* How many bytes its table takes. */
extern Size pgt_key_map_memory(const KeyMap *map);

/* Forget all keys; the memory stays. */
extern void pgt_key_map_reset(KeyMap *map);

/* Free the map and its memory. */
extern void pgt_key_map_free(KeyMap *map);

#endif							/* KEY_MAP_H */
