/*
 * kafka_txn_file.h
 *	  The file of Kafka transactions that are open or have unresolved batches.
 */
#ifndef KAFKA_TXN_FILE_H
#define KAFKA_TXN_FILE_H

#include "log/kafka_txn_map.h"

/* Replace the file, durably.  Any failure is an ERROR. */
extern void pgt_kafka_txn_file_write(const char *bytes, const KafkaTxnSaved *saved);

/*
 * Read the file into the shared table, when the logs were loaded.  If it is missing or damaged, no
 * transaction is known.  FATAL if it is of another cluster, as for the recovery point, or has more
 * than there is room for.  For the postmaster.
 */
extern void pgt_kafka_txn_file_load(void);

#endif							/* KAFKA_TXN_FILE_H */
