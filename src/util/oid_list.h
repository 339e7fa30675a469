/*
 * oid_list.h
 *	  Oids that are noted until the transaction ends.
 */
#ifndef OID_LIST_H
#define OID_LIST_H

#include "nodes/pg_list.h"

/*
 * Add an oid to a list unless it is there; returns the list, whose memory is the
 * transaction's.
 */
extern List *pgt_oid_list_note(List *noted, Oid oid);

#endif							/* OID_LIST_H */
