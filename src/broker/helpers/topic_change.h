/*
 * topic_change.h
 *	  Changing a topic in a helper process, for a client.
 */
#ifndef TOPIC_CHANGE_H
#define TOPIC_CHANGE_H

#include "broker/helpers/helper.h"
#include "kafka/kafka_error.h"
#include "storage/lockdefs.h"
#include "util/compat.h"

/*
 * Call work(arg) in a transaction of its own, as the role of the call, until the call's deadline, and
 * commit it; with "dry" roll it back.  If it throws an error it is rolled back, and Kafka's error is
 * returned, with its text in *message, palloc'd in the call's memory; else KAFKA_ERROR_NONE.
 * REQUEST_TIMED_OUT may also be said of work that has been committed, where standbys are late.
 */
extern KafkaError pgt_topic_change_run(HelperCall *call, void (*work) (void *arg), void *arg, bool dry,
									   char **message);

/* The same for work that is about no topic: who may not do it gets CLUSTER_AUTHORIZATION_FAILED. */
extern KafkaError pgt_topic_change_run_for_cluster(HelperCall *call, void (*work) (void *arg), void *arg, bool dry,
												   char **message);

/*
 * Within the work: lock a topic for a change of this kind, a word such as "delete", if the role owns it.  find(arg)
 * says which topic it is, or throws; it is called again when the topic is locked, since it may be another one by then.
 * Who may not change the topic does not lock it either.
 */
extern Oid	pgt_topic_change_lock(Oid (*find) (void *arg), void *arg, LOCKMODE mode, const char *what);

/* The topic of a name; UNKNOWN_TOPIC_OR_PARTITION is thrown where there is none. */
extern Oid	pgt_topic_change_find(KafkaString name);

/*
 * A name or value of a configuration, in the encoding of the database; INVALID_CONFIG is thrown where that cannot be.
 */
extern char *pgt_topic_change_text(HelperCall *call, KafkaString string);

/* Throw an error that becomes this one of Kafka's, with a text of this process's language. */
pg_noreturn extern void pgt_topic_change_refuse(KafkaError error, const char *format,...) pg_attribute_printf(2, 3);

#endif							/* TOPIC_CHANGE_H */
