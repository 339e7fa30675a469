/*
 * key_map.h
 *	  A bounded map from a record's key to the offset of its last record.
 *
 * Layer 0, with the server's memory and hashes.
 */
#ifndef KEY_MAP_H
#define KEY_MAP_H

typedef struct KeyMap KeyMap;

/*
 * A map for as many keys as are expected, or as fit into memory_limit where
 * that is less.  It lives in a memory context of its own below "parent" and
 * belongs to the current resource owner: free it, or let a rollback do so.
 */
extern KeyMap *pgt_key_map_create(MemoryContext parent, Size memory_limit, uint64 expected_keys);

/*
 * Remember the offset as the key's last.  A key that is there is updated even
 * where the map is full; offsets of a key must come in ascending order.  False:
 * there is no room for this key and nothing has changed.
 *
 * REQUIRES: length >= 0 (a null key has no place here), offset >= 0.
 */
extern bool pgt_key_map_put(KeyMap *map, const char *key, int32 length, int64 offset);

/* The key's last offset, or -1 where it is not there. */
extern int64 pgt_key_map_get(const KeyMap *map, const char *key, int32 length);

extern uint64 pgt_key_map_count(const KeyMap *map); /* keys in it */
extern Size pgt_key_map_memory(const KeyMap *map);	/* bytes of its table */

/* Forget all keys; the memory stays. */
extern void pgt_key_map_reset(KeyMap *map);

extern void pgt_key_map_free(KeyMap *map);

#endif							/* KEY_MAP_H */
