/*
 * delete_acls.h
 *	  DeleteAcls: privileges that are revoked.
 */
#ifndef DELETE_ACLS_H
#define DELETE_ACLS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_delete_acls_api;
extern const HelperApi pgt_delete_acls_helper;

#endif							/* DELETE_ACLS_H */
