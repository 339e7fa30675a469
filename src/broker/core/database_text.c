/*
 * database_text.c
 *	  Texts of clients in the encoding of the database, and the reverse.
 *
 * Kafka's strings are UTF-8, of which nobody has looked whether it is good, and may have zero bytes.  Names of
 * groups and members, and what is committed with offsets, are kept in tables, and must be what SQL takes for text.
 * Neither function throws an error for what a client has sent.
 */
#include "postgres.h"

#include "broker/core/database_text.h"
#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "util/ascii.h"

/* Convert to another encoding: palloc'd, or NULL where that is not possible. */
static char *
convert(const char *text, int length, int from, int to)
{
	Oid			conversion = FindDefaultConversionProc(from, to);
	int			size = length * MAX_CONVERSION_GROWTH + 1;
	char	   *converted;

	if (!OidIsValid(conversion))
		return NULL;
	converted = palloc(size);
	if (pg_do_encoding_conversion_buf(conversion, from, to, unconstify(unsigned char *, (const unsigned char *) text),
									  length, (unsigned char *) converted, size, true) == length)
		return converted;
	pfree(converted);
	return NULL;
}

char *
pgt_database_text_of_client(KafkaString string)
{
	int			encoding = GetDatabaseEncoding();

	if (string.length < 0)
		return NULL;
	if (string.length == 0)
		return pstrdup("");
	if (memchr(string.data, '\0', string.length) != NULL)
		return NULL;
	if (pgt_ascii_is_all(string.data, string.length))
		return pnstrdup(string.data, string.length);
	if (!pg_verify_mbstr(PG_UTF8, string.data, string.length, true))
		return NULL;
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pnstrdup(string.data, string.length);
	return convert(string.data, string.length, PG_UTF8, encoding);
}

KafkaString
pgt_database_text_for_client(const char *text)
{
	int			encoding = GetDatabaseEncoding();
	KafkaString string = {text, (int32) strlen(text)};
	char	   *converted = NULL;

	if (pgt_ascii_is_all(text, string.length))
		return string;
	/* there a text has the encoding that whoever wrote it had; and names of roles may have been given in another database */
	if ((encoding == PG_UTF8 || encoding == PG_SQL_ASCII) && pg_verify_mbstr(PG_UTF8, text, string.length, true))
		return string;
	if (encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		converted = convert(text, string.length, encoding, PG_UTF8);
	if (converted == NULL)
	{
		converted = pstrdup(text);
		for (char *c = converted; *c != '\0'; c++)
			*c = IS_HIGHBIT_SET(*c) ? '?' : *c;
	}
	return (KafkaString) {converted, (int32) strlen(converted)};
}
