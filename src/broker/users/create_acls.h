/*
 * create_acls.h
 *	  CreateAcls: privileges that are granted.
 */
#ifndef CREATE_ACLS_H
#define CREATE_ACLS_H

#include "broker/helpers/helper.h"

extern const BrokerApi pgt_create_acls_api;
extern const HelperApi pgt_create_acls_helper;

#endif							/* CREATE_ACLS_H */
