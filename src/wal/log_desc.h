/*
 * log_desc.h
 *	  Describing the logs' WAL records.
 */
#ifndef LOG_DESC_H
#define LOG_DESC_H

#include "access/xlogreader.h"
#include "lib/stringinfo.h"

/* Append to "buf" what a record says.  A SYNC record says nothing. */
extern void pgt_log_desc(StringInfo buf, XLogReaderState *record);

/* The name of a record's type by its info bits, or NULL for an unknown type. */
extern const char *pgt_log_desc_identify(uint8 info);

#endif							/* LOG_DESC_H */
