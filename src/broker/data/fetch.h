/*
 * fetch.h
 *	  The API Fetch: giving consumers what is in the log.
 */
#ifndef FETCH_H
#define FETCH_H

#include "broker/core/broker.h"
#include "wal/log_ranges.h"

extern const BrokerApi pgt_fetch_api;

/* Records for an answer that were found in files, from which they are sent. */
extern KafkaRecords pgt_fetch_records(const LogRanges *found);

/* A client is sent parts of files: they are to be closed when nobody needs them any more. */
extern void pgt_fetch_note_files(void);

extern const BrokerHooks pgt_fetch_hooks;

#endif							/* FETCH_H */
