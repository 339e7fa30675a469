/*
 * assignor_mixed.h
 *	  The assignor "uniform" for members that are not subscribed to the same topics.
 */
#ifndef ASSIGNOR_MIXED_H
#define ASSIGNOR_MIXED_H

#include "coordinator/assignor.h"

extern void pgt_assignor_mixed_assign(const AssignorGroup *group);

#endif							/* ASSIGNOR_MIXED_H */
