/*
 * key_shape.c
 *	  When the bytes of two keys tell whether the keys are equal.
 *
 * A condition "key = value" is decided by a record's bytes where that is sure, without
 * making a value of the key's type of them.  What this server writes has one form for each
 * value.  But the bytes in a log may come from elsewhere, and a type's input function may
 * take more forms of a value than its output function writes: '007' is the integer 7 too.
 * So bytes that differ from those asked for rule a record out only if they are canonical;
 * all others are left to the type's own comparison.
 *
 *	  KEY_SHAPE_INTEGER	0, or an optional minus sign and digits that do not begin with 0
 *	  KEY_SHAPE_UUID		32 hexadecimal digits, small, in groups of 8-4-4-4-12
 *	  KEY_SHAPE_LIMITED	no more bytes than the type has characters; a longer text may end
 *						in blanks that the type cuts off
 *
 * No state, no memory.
 */
#include "c.h"

#include "format/key_shape.h"

#define UUID_LENGTH		36

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Is it an integer as the server writes it?  Its size does not matter. */
static bool
is_canonical_integer(const char *key, int32 length)
{
	if (length == 1 && *key == '0')
		return true;
	if (length > 0 && *key == '-')
	{
		key++;
		length--;
	}
	if (length == 0 || *key == '0')
		return false;
	for (int32 i = 0; i < length; i++)
		if (!is_digit(key[i]))
			return false;
	return true;
}

/* Is it a uuid as the server writes it? */
static bool
is_canonical_uuid(const char *key, int32 length)
{
	if (length != UUID_LENGTH)
		return false;
	for (int i = 0; i < UUID_LENGTH; i++)
	{
		bool		is_separator = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_separator ? key[i] != '-' : !is_digit(key[i]) && (key[i] < 'a' || key[i] > 'f'))
			return false;
	}
	return true;
}

bool
pgt_key_shape_is_canonical(KeyShape shape, const char *key, int32 length)
{
	switch (shape.form)
	{
		case KEY_SHAPE_EXACT:
			return true;
		case KEY_SHAPE_LIMITED:
			return length <= shape.limit;
		case KEY_SHAPE_INTEGER:
			return is_canonical_integer(key, length);
		case KEY_SHAPE_UUID:
			return is_canonical_uuid(key, length);
		case KEY_SHAPE_NONE:
			break;
	}
	return false;
}
