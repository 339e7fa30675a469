/*
 * assignor_range.h
 *	  The assignor "range": to each member a range of each topic.
 */
#ifndef ASSIGNOR_RANGE_H
#define ASSIGNOR_RANGE_H

#include "coordinator/assignor.h"

extern const Assignor pgt_assignor_range;

#endif							/* ASSIGNOR_RANGE_H */
