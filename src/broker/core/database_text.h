/*
 * database_text.h
 *	  Texts of clients in the encoding of the database, and the reverse.
 */
#ifndef DATABASE_TEXT_H
#define DATABASE_TEXT_H

#include "kafka/kafka_types.h"

/* Both are called in a transaction. */

/*
 * A client's string in the encoding of the database, palloc'd; NULL where it is null, has a zero byte, is no good
 * UTF-8, or has a character that the encoding has not.
 */
extern char *pgt_database_text_of_client(KafkaString string);

/* A text of the database for clients; what has no counterpart is a question mark.  It may be the text itself. */
extern KafkaString pgt_database_text_for_client(const char *text);

#endif							/* DATABASE_TEXT_H */
