/*
 * key_shape.h
 *	  When the bytes of two keys tell whether the keys are equal.
 */
#ifndef KEY_SHAPE_H
#define KEY_SHAPE_H

/*
 * How keys of a type stand in records.  A key is canonical if its bytes are the ones that
 * its value has when this server writes it; two canonical keys of one form are equal if and
 * only if their bytes are.
 */
typedef enum KeyShapeForm
{
	KEY_SHAPE_NONE,				/* equal values may have different bytes, as with numeric or jsonb */
	KEY_SHAPE_EXACT,				/* each byte counts: every key is canonical */
	KEY_SHAPE_LIMITED,			/* text of up to so many characters */
	KEY_SHAPE_INTEGER,			/* a decimal integer */
	KEY_SHAPE_UUID
} KeyShapeForm;

/* A form with its limit; all zero: KEY_SHAPE_NONE. */
typedef struct KeyShape
{
	KeyShapeForm form;
	int32		limit;			/* of KEY_SHAPE_LIMITED, in characters */
} KeyShape;

/*
 * Is the key surely canonical?  Keys that are not come from elsewhere: a log that another
 * program has written, or a topic whose key has had another type.  length >= 0.
 */
extern bool pgt_key_shape_is_canonical(KeyShape shape, const char *key, int32 length);

#endif							/* KEY_SHAPE_H */
