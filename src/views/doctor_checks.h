/*
 * doctor_checks.h
 *	  What pg_topics_doctor() checks: a query for each.
 */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

/* The parameters that all queries can use, by number. */
typedef enum DoctorParameter
{
	DOCTOR_HELD_FOR = 1,		/* interval: shorter transactions are no finding */
	DOCTOR_IDLE_FOR,			/* interval: shorter pauses of groups, and older errors, are none */
	DOCTOR_PARTITIONS,			/* int: partitions of the server */
	DOCTOR_MAX_PARTITIONS,		/* int: how many it can have */
	DOCTOR_DATABASES,			/* int: databases that have topics */
	DOCTOR_FILE_LIMIT,			/* bigint: files that a process may open; null: no limit */
	DOCTOR_OPEN_FILES,			/* int: files that a process keeps open */
	DOCTOR_PARAMETERS = DOCTOR_OPEN_FILES
} DoctorParameter;

/*
 * A check.  The query's rows are findings: severity, subject, finding and advice.  Without
 * a row all is well, and "fine" is an expression for what can be said then.  Both are run with
 * a search path of pg_catalog; "@." stands for the extension's schema.
 */
typedef struct DoctorCheck
{
	const char *name;
	const char *query;
	const char *fine;
} DoctorCheck;

extern const DoctorCheck pgt_doctor_checks[];
extern const int pgt_doctor_check_count;

#endif							/* DOCTOR_CHECKS_H */
