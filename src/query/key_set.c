/*
 * key_set.c
 *	  The keys that a query asks for, by their bytes.
 *
 * A condition key = value or key = ANY (array) is compared with the bytes of each record
 * before a value is made of them.  Records that pass are compared once more by the type's
 * own operator, so the set may let a record pass, and must never stop one that the operator
 * accepts.  Therefore
 *
 *	  - the type must write equal values as equal bytes (pgt_serializer_shape());
 *	  - the operator must be the type's equality in its default B-tree family, and its
 *		collation must be deterministic;
 *	  - bytes that this server would not write for their value (key_shape.h) pass.
 *
 * A set of some keys is searched one by one, a larger one by a table.
 *
 * No locks, no WAL.  Memory: the current context.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "nodes/bitmapset.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "query/key_set.h"

/* More keys than this are searched by a table. */
#define MAX_LINEAR		8

/* More keys than this are not looked up in the index of keys. */
#define MAX_PROBED		10000

/* ---- which conditions ----------------------------------------------------- */

bool
pgt_key_set_can_match(const Topic *topic, Oid operator, Oid collation)
{
	TypeCacheEntry *entry;

	if (topic->log.placement.shape.form == KEY_SHAPE_NONE)
		return false;
	entry = lookup_type_cache(topic->key.base, TYPECACHE_BTREE_OPFAMILY);
	return get_op_opfamily_strategy(operator, entry->btree_opf) == BTEqualStrategyNumber &&
		(!OidIsValid(collation) || get_collation_isdeterministic(collation));
}

bool
pgt_key_set_takes(const Topic *topic, Oid type)
{
	switch (topic->key.base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return type == INT2OID || type == INT4OID || type == INT8OID;
		case TEXTOID:
		case VARCHAROID:
			return type == TEXTOID || type == VARCHAROID;
		default:
			return type == topic->key.base;
	}
}

/* ---- making a set ---------------------------------------------------------- */

/* The bytes of a value of a type that pgt_key_set_takes(). */
static ByteView
value_bytes(Datum value, Oid type)
{
	ByteView	bytes;
	char	   *text;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BYTEAOID:
			{
				struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

				bytes.length = VARSIZE_ANY_EXHDR(packed);
				text = palloc(bytes.length + 1);
				memcpy(text, VARDATA_ANY(packed), bytes.length);
				bytes.data = text;
				return bytes;
			}
		case INT2OID:
			text = psprintf("%d", DatumGetInt16(value));
			break;
		case INT4OID:
			text = psprintf("%d", DatumGetInt32(value));
			break;
		case INT8OID:
			text = psprintf(INT64_FORMAT, DatumGetInt64(value));
			break;
		case UUIDOID:
			text = DatumGetCString(DirectFunctionCall1(uuid_out, value));
			break;
		default:
			text = DatumGetCString(DirectFunctionCall1(enum_out, value));
			break;
	}
	bytes.data = text;
	bytes.length = strlen(text);
	return bytes;
}

static inline bool
is_equal(ByteView view, const char *key, int32 length)
{
	return view.length == length && memcmp(view.data, key, length) == 0;
}

/* The place of a key in the table: its own, or the empty one where it would be. */
static uint32 *
table_place(const KeySet *set, const char *key, int32 length)
{
	uint32		n = hash_bytes((const unsigned char *) key, length) & set->table_mask;

	while (set->table[n] != 0 && !is_equal(set->keys[set->table[n] - 1], key, length))
		n = (n + 1) & set->table_mask;
	return &set->table[n];
}

/* Is the key in the set? */
static bool
has_key(const KeySet *set, const char *key, int32 length)
{
	if (set->table != NULL)
		return *table_place(set, key, length) != 0;
	for (int i = 0; i < set->count; i++)
		if (is_equal(set->keys[i], key, length))
			return true;
	return false;
}

/* Add a key unless the set has it. */
static void
add_key(KeySet *set, ByteView key)
{
	if (has_key(set, key.data, key.length))
		return;
	set->keys[set->count++] = key;
	if (set->table != NULL)
		*table_place(set, key.data, key.length) = set->count;
}

/* An empty set with room for some keys. */
static KeySet *
make_empty(const Topic *topic, int room)
{
	KeySet	   *set = palloc0(sizeof(KeySet));

	set->shape = topic->log.placement.shape;
	set->keys = palloc_extended(Max(room, 1) * sizeof(ByteView), MCXT_ALLOC_HUGE);
	if (room > MAX_LINEAR)
	{
		set->table_mask = pg_nextpower2_32(room) * 2 - 1;
		set->table = palloc_extended(((Size) set->table_mask + 1) * sizeof(uint32),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	}
	return set;
}

KeySet *
pgt_key_set_make(const Topic *topic, Datum value, Oid type)
{
	Oid			element = get_element_type(type);
	KeySet	   *set;
	int16		length;
	bool		by_value;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			count;

	if (!OidIsValid(element))
	{
		set = make_empty(topic, 1);
		add_key(set, value_bytes(value, type));
		return set;
	}
	get_typlenbyvalalign(element, &length, &by_value, &align);
	deconstruct_array(DatumGetArrayTypeP(value), element, length, by_value, align,
					  &values, &nulls, &count);
	set = make_empty(topic, count);
	for (int i = 0; i < count; i++)
		if (!nulls[i])
			add_key(set, value_bytes(values[i], element));
	return set;
}

void
pgt_key_set_intersect(KeySet *set, const KeySet *other)
{
	int			kept = 0;

	for (int i = 0; i < set->count; i++)
		if (has_key(other, set->keys[i].data, set->keys[i].length))
			set->keys[kept++] = set->keys[i];
	set->count = kept;
	if (set->table == NULL)
		return;
	memset(set->table, 0, ((Size) set->table_mask + 1) * sizeof(uint32));
	for (int i = 0; i < kept; i++)
		*table_place(set, set->keys[i].data, set->keys[i].length) = i + 1;
}

/* ---- using it -------------------------------------------------------------- */

bool
pgt_key_set_may_match(const KeySet *set, const char *key, int32 length)
{
	if (length < 0)
		return false;
	return has_key(set, key, length) || !pgt_key_shape_is_canonical(set->shape, key, length);
}

KeyProbe *
pgt_key_set_probe(const KeySet *set)
{
	KeyProbe   *probe;
	uint64		seed = GetSystemIdentifier();

	if (set->count > MAX_PROBED)
		return NULL;
	probe = palloc(sizeof(KeyProbe));
	probe->shape = set->shape;
	probe->count = set->count;
	probe->hashes = palloc(Max(set->count, 1) * sizeof(uint32));
	for (int i = 0; i < set->count; i++)
		probe->hashes[i] = pgt_key_index_page_hash(seed, set->keys[i].data, set->keys[i].length);
	return probe;
}

Bitmapset *
pgt_key_set_partitions(const KeySet *set, const Topic *topic)
{
	const KeyPlacement *placement = &topic->log.placement;
	Bitmapset  *partitions = NULL;

	if (placement->rule == PLACED_ANYWHERE || placement->shape.form == KEY_SHAPE_NONE)
		return NULL;
	for (int i = 0; i < set->count; i++)
	{
		int32		partition = pgt_placement_rule_apply(placement->rule, placement->partitions,
														 set->keys[i].data, set->keys[i].length);

		if (partition == NO_PLACEMENT)
			return NULL;
		partitions = bms_add_member(partitions, partition);
	}
	return partitions;
}
