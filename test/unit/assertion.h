/*
 * assertion.h
 *	  An assertion fails in a unit test: the server's own function for that is not linked.
 *
 * Included once in a test program.
 */
#ifndef ASSERTION_H
#define ASSERTION_H

#include <stdio.h>
#include <stdlib.h>

/* called where the server is built with assertions; an argument less from 16 on */
void
#if PG_VERSION_NUM >= 160000
ExceptionalCondition(const char *conditionName, const char *fileName, int lineNumber)
#else
ExceptionalCondition(const char *conditionName, const char *errorType,
					 const char *fileName, int lineNumber)
#endif
{
	printf("Bail out! assertion \"%s\" fails in %s, line %d\n", conditionName, fileName, lineNumber);
	exit(1);
}

#endif							/* ASSERTION_H */
