/*
 * assignor_list.h
 *	  Which assignors there are.
 */
#ifndef ASSIGNOR_LIST_H
#define ASSIGNOR_LIST_H

#include "coordinator/assignor.h"

/* All, and NULL.  The first is the one of groups whose members name none. */
extern const Assignor *const pgt_assignor_list[];

/* The assignor of a name; NULL if there is none. */
extern const Assignor *pgt_assignor_list_find(KafkaString name);

#endif							/* ASSIGNOR_LIST_H */
