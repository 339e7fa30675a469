/*
 * describe_acls.h
 *	  DescribeAcls: the ACLs that a filter matches.
 */
#ifndef DESCRIBE_ACLS_H
#define DESCRIBE_ACLS_H

#include "broker/helpers/helper.h"

/* The time that a request about ACLs has, which says none. */
#define DESCRIBE_ACLS_TIMEOUT_MS	30000

extern const BrokerApi pgt_describe_acls_api;
extern const HelperApi pgt_describe_acls_helper;

#endif							/* DESCRIBE_ACLS_H */
