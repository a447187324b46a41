/* address.h - System.Net.IPAddress, for the files that look into one. */
#pragma once

#include "policy/expr/class.h"

struct address {
	struct object head;
	bool v6;
	uint8_t bytes[16];           /* the first 4 of IPv4 */
};

extern struct value_class class_address;

/* Sets v6 and bytes; false: no address. */
bool address_read(struct str s, struct address *out);
