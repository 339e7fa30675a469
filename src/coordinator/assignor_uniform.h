/*
 * assignor_uniform.h
 *	  The assignor "uniform": to each member as many partitions, and few of them move.
 */
#ifndef ASSIGNOR_UNIFORM_H
#define ASSIGNOR_UNIFORM_H

#include "coordinator/assignor.h"

extern const Assignor pgt_assignor_uniform;

#endif							/* ASSIGNOR_UNIFORM_H */
