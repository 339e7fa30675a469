/*
 * serializer.h
 *	  Typed SQL values to record bytes and back.
 *
 * bytea is stored raw; every other type as the text its output function
 * gives, in UTF-8 whatever the database's encoding is, and in one form
 * whatever the session's settings are.
 */
#ifndef SERIALIZER_H
#define SERIALIZER_H

#include "fmgr.h"
#include "format/key_shape.h"
#include "format/record_batch.h"
#include "lib/stringinfo.h"

/* key or value: how its type becomes bytes and back. */
typedef struct Serializer
{
	Oid			type;			/* the column's type; text where the column is left out */
	Oid			base;			/* the same below domains */
	int32		typmod;			/* of the type below domains */
	bool		is_bytea;		/* bytes as they are */
	bool		is_text;		/* text: no output or input function needed */
	int			settings;		/* TEXT_SETTING_*: the session's on which its text depends */
	FmgrInfo	output;
	FmgrInfo	input;			/* of the type below domains */
	Oid			input_param;
	void	   *domain;			/* cache of the domain's constraints */
	MemoryContext context;		/* of that cache */
	NameData	column;			/* for error messages */
	NameData	topic;			/* so is the name of the topic */
} Serializer;

/* The bytes of a key or value; length is -1 for null. */
typedef struct ByteView
{
	const char *data;
	int32		length;
} ByteView;

/* Prepare a serializer for a topic's column (ERROR where its type cannot be stored). */
extern void pgt_serializer_init(Serializer *s, Oid type, int32 typmod, const char *topic,
								const char *column, MemoryContext context);

/*
 * The form of the type's bytes, if it is a key's: whether the bytes of two keys tell
 * whether the keys are equal, for the type's own equality with a deterministic collation.
 */
extern KeyShape pgt_serializer_shape(const Serializer *s);

/*
 * Turn a Datum of the column's own type into bytes.  The bytes live in the current
 * memory context or in the datum itself.  ERROR for a null that the column's domain
 * refuses.
 */
extern ByteView pgt_serialize(Serializer *s, Datum value, bool isnull);

/*
 * Turn a Datum of any type into the bytes of the column's type.  For a value that
 * the column does not take, the input function of the column's type raises an ERROR.
 */
extern ByteView pgt_serialize_any(Serializer *s, Datum value, bool isnull, Oid type);

/* Turn bytes into a Datum of the column's type; ERROR where they are not valid for it. */
extern Datum pgt_deserialize(Serializer *s, const char *bytes, int32 length, bool *isnull);

/*
 * Are bytes, or null, certain to be accepted by pgt_deserialize()?  Does not throw.  False where
 * that takes the type's input function to know.
 */
extern bool pgt_serializer_takes(const Serializer *s, const char *bytes, int32 length);

/* Is that so of all bytes and of null? */
extern bool pgt_serializer_takes_any(const Serializer *s);

/*
 * ERROR where bytes, or null (length -1), that were made elsewhere are not what the column may
 * have.  What a session's settings decide is as when the bytes are read.
 */
extern void pgt_serializer_check(Serializer *s, const char *bytes, int32 length);

/*
 * Does what pgt_serializer_check() calls belong to the server itself?  Else it may be anybody's
 * function, and must be called with as many rights as its caller has.
 */
extern bool pgt_serializer_is_builtin(const Serializer *s);

/* Are a record's headers few and short enough to be read as jsonb, whatever bytes they have? */
extern bool pgt_serializer_takes_headers(const Record *record);

/* Headers of so many bytes always are. */
#define SERIALIZER_HEADERS_TAKEN	(1024 * 1024)

/* Turn bytes into text, for functions whose result is text; a bytea column gives hex. */
extern Datum pgt_deserialize_as_text(Serializer *s, const char *bytes, int32 length, bool *isnull);

/*
 * Text in the database's encoding, as it stands in a record: the text itself
 * where nothing is converted, else in the current memory context.
 */
extern ByteView pgt_serialize_text(const char *data, int32 length);

/*
 * Encode a jsonb object of header names to values for a record.  Numbers and
 * booleans become their text, null becomes a null header, and an array becomes one
 * header for each of its elements.  ERROR for other shapes, and for headers that
 * are too many or too large to be read back as jsonb.
 */
extern void pgt_serialize_headers(Datum headers_jsonb, StringInfo out, int32 *count);

/* The record's headers as jsonb, a repeated name with an array; null where there are none. */
extern Datum pgt_deserialize_headers(const Record *record, bool *isnull);

#endif							/* SERIALIZER_H */
