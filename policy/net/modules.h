/* modules.h - what each file of the .NET library brings; net.c lists them. */
#pragma once

#include "policy/expr/class.h"
#include "policy/net/out.h"

extern const struct class_module net_globalization, net_number, net_string, net_string_compare, net_string_join, net_convert,
	net_math, net_random, net_char, net_guid, net_builder, net_bits, net_date_time, net_time_span, net_date_offset, net_json,
	net_json_merge, net_uri, net_encoding, net_hash, net_web, net_regex, net_regex_match,
	net_jwt, net_rsa, net_x509, net_oid, net_symmetric, net_xlinq, net_xnode, net_xml,
	net_xml_reader, net_time_zone, net_type_code, net_time_rule, net_xlinq_order, net_uri_parts, net_key_parts,
	net_normal, net_annotations, net_uri_components, net_x509_parts;

/* Classes that several files make objects of. */
extern struct value_class class_string_comparison;

/* Types with a ToString(format) of their own; ends with cls NULL. */
struct net_formatter {
	const struct value_class *cls;
	bool (*format)(struct out *o, struct value v, struct str format);   /* false: invalid format */
};
extern const struct net_formatter net_formatters[];
