/*
 * offset_metadata.c
 *	  What clients give along with an offset that they commit, as SQL has it.
 *
 * For Kafka's clients it is a string, but libraries in C take it with its length and send any bytes, so that some
 * come with the zero byte at the end of a string of C.  In the table it is a text.  What SQL does not take for one stands
 * there in the form that bytea has, a backslash, "x" and two digits for each byte:
 *
 *		offset 17 of orders		what the client commits
 *		offset\0				\x6f666673657400
 *		\x41					\x5c783431, lest it be read as "A"
 *
 * Each text of the table stands for one value, and each value that a client commits is read as it was.
 */
#include "postgres.h"

#include "broker/core/database_text.h"
#include "broker/offsets/offset_metadata.h"
#include "utils/builtins.h"

/* how the texts begin that stand for bytes */
#define BYTES_PREFIX	"\\x"
#define PREFIX_LENGTH	2

/* Does the text begin that way? */
static bool
is_prefixed(const char *text)
{
	return strncmp(text, BYTES_PREFIX, PREFIX_LENGTH) == 0;
}

char *
pgt_offset_metadata_of_client(KafkaString metadata)
{
	char	   *text;
	uint64		length;

	if (metadata.length <= 0)
		return NULL;
	text = pgt_database_text_of_client(metadata);
	if (text != NULL && !is_prefixed(text))
		return text;
	text = palloc(PREFIX_LENGTH + 2 * (Size) metadata.length + 1);
	memcpy(text, BYTES_PREFIX, PREFIX_LENGTH);
	length = hex_encode(metadata.data, metadata.length, text + PREFIX_LENGTH);
	text[PREFIX_LENGTH + length] = '\0';
	return text;
}

KafkaString
pgt_offset_metadata_for_client(const char *text)
{
	const char *digits;
	Size		length;
	char	   *bytes;

	if (text == NULL)
		return (KafkaString) {"", 0};
	digits = text + PREFIX_LENGTH;
	if (!is_prefixed(text))
		return pgt_database_text_for_client(text);
	length = strlen(digits);
	/* SQL may have written anything */
	if (length == 0 || length % 2 != 0 || strspn(digits, "0123456789abcdefABCDEF") != length)
		return pgt_database_text_for_client(text);
	bytes = palloc(length / 2);
	return (KafkaString) {bytes, (int32) hex_decode(digits, length, bytes)};
}
