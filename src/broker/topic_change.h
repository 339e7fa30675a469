/*
 * topic_change.h
 *	  Changing a topic in a helper process, for a client.
 */
#ifndef TOPIC_CHANGE_H
#define TOPIC_CHANGE_H

#include "broker/helper.h"
#include "kafka/kafka_error.h"
#include "util/compat.h"

/*
 * Call work(arg) in a transaction of its own, as the role of the call, until the call's deadline, and
 * commit it; with "dry" roll it back.  If it throws an error it is rolled back, and Kafka's error is
 * returned, with its text in *message, palloc'd in the call's memory; else KAFKA_ERROR_NONE.
 * REQUEST_TIMED_OUT may also be said of work that has been committed, where standbys are late.
 */
extern KafkaError pgt_topic_change_run(HelperCall *call, void (*work) (void *arg), void *arg, bool dry,
									   char **message);

/* Throw an error that becomes this one of Kafka's, with a text of this process's language. */
pg_noreturn extern void pgt_topic_change_refuse(KafkaError error, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* TOPIC_CHANGE_H */
