/*
 * modern_format.h
 *	  Groups of the new protocol as bytes: what of them survives the process.
 */
#ifndef MODERN_FORMAT_H
#define MODERN_FORMAT_H

#include "coordinator/modern_group.h"
#include "lib/stringinfo.h"

/* What a member's row has beside its columns.  Rows are written whole. */
typedef struct ModernMemberBytes
{
	StringInfoData subscription;
	StringInfoData assignment;
	StringInfoData state;
} ModernMemberBytes;

/* Append what a group's row has beside its columns. */
extern void pgt_modern_format_group(const ModernGroup *group, StringInfo out);

/* Make a member's bytes, palloc'd. */
extern void pgt_modern_format_member(const ModernGroup *group, const ModernMember *member, ModernMemberBytes *out);

/* A group that is being read: first its own bytes, then each member, then the end. */
typedef struct ModernLoad ModernLoad;

/* What a member's row says. */
typedef struct ModernMemberRow
{
	const char *id;
	const char *instance_id;	/* NULL: none */
	const char *client_id;
	const char *client_host;
	int32		rebalance_timeout;
	int32		epoch;
	KafkaBytes	subscription;
	KafkaBytes	assignment;
	KafkaBytes	state;
} ModernMemberRow;

/* Begin to read a group, which is new.  NULL: the bytes are not what we write. */
extern ModernLoad *pgt_modern_format_load(ModernGroup *group, int32 epoch, KafkaBytes bytes);

/* False: the bytes are not what we write, and the member is not there. */
extern bool pgt_modern_format_load_member(ModernLoad *load, const ModernMemberRow *row);

/* All members have been read. */
extern void pgt_modern_format_loaded(ModernLoad *load);

#endif							/* MODERN_FORMAT_H */
