/*
 * kafka_encode.h
 *	  From a message's C structure to its bytes.
 */
#ifndef KAFKA_ENCODE_H
#define KAFKA_ENCODE_H

#include "kafka/kafka_messages.h"
#include "kafka/kafka_table.h"

/* Where a structure is encoded: its field, and the element of it if that is an array. */
typedef struct KafkaEncodePlace
{
	const KafkaField *field;
	int32		item;
} KafkaEncodePlace;

#define KAFKA_ENCODE_LEVELS	8	/* of structures in structures; in deeper ones there are no pauses */

/*
 * Where the bytes go.  The caller sets next and end to the room that there is, the
 * functions, and the rest to zeros.
 *
 * When the room does not do for a value, grow() makes next and end those of more room, of
 * "needed" bytes at least; the bytes until next are the end of the room before, and stay
 * where they are until the message or frame is whole.  Without grow(), or if it returns
 * false, that is a problem.  A caller that has asked for the size first needs none.
 *
 * splice() is called in the place of records that have a source, and sees to it that their
 * bytes follow those until next.  It may change next and end, too.
 *
 * A large message can be encoded in parts.  pause() is called before each element of an array of structures; "level"
 * says in how many other structures of the message that array is.  If it returns true the message is not whole yet:
 * pgt_kafka_encode() returns false, "paused" is set, and a call with the same arguments goes on with that very
 * element, for which pause() is not called again.  What has not been encoded by then must stay as it is, but that pause() may
 * complete the element that it is called for.  There are no pauses in tagged fields.
 */
typedef struct KafkaWriter
{
	char	   *next;
	char	   *end;
	bool		(*grow) (struct KafkaWriter *writer, size_t needed);
	bool		(*splice) (struct KafkaWriter *writer, const KafkaRecords *records);
	size_t		size;			/* bytes so far, those of splice() included */
	const char *problem;		/* what is wrong, a constant string; NULL: nothing */
	const KafkaField *field;	/* in which field; NULL: in none */
	int			version;
	bool		flexible;
	bool		counting;		/* only the size is wanted */

	bool		(*pause) (struct KafkaWriter *writer, int level, void *item);	/* NULL: all at once */
	bool		paused;
	int			level;			/* how many structures it is in */
	int			resumed;		/* of these, how many lead to where it paused; 0 when it is there again */
	KafkaEncodePlace places[KAFKA_ENCODE_LEVELS];

	/* of kafka_frame.c */
	char	   *frame;			/* where the size of the frame goes that is being written */
	size_t		before;			/* bytes before it */
} KafkaWriter;

/*
 * Encode one message.  False, with a problem, if the version cannot carry it: a field is null
 * that must not be, or has a value that is not its default and is not in the version, unless
 * the schema calls it ignorable; a string or array is too long; or if there is no room.  What
 * has been written then is of no use.  Without a problem it is a pause.
 */
extern bool pgt_kafka_encode(KafkaWriter *writer, KafkaStructId message, int version, const void *structure);

/* The size of what pgt_kafka_encode() would write, added to writer->size.  False as above. */
extern bool pgt_kafka_encode_count(KafkaWriter *writer, KafkaStructId message, int version, const void *structure);

/* Room for bytes that the caller writes, now or later; NULL, with a problem, if there is none. */
extern char *pgt_kafka_encode_room(KafkaWriter *writer, size_t length);

#endif							/* KAFKA_ENCODE_H */
