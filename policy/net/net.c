/* net.c - the list of what the .NET library brings: one module a file. */
#include "policy/net/modules.h"
#include "policy/net/time.h"

const struct class_module *const net_modules[] = {
	&net_globalization, &net_number,    &net_string,    &net_string_compare, &net_string_join, &net_convert,
	&net_math,          &net_random,    &net_char,      &net_guid,           &net_builder,     &net_bits,
	&net_date_time,     &net_time_span, &net_date_offset, &net_json,         &net_json_merge,  &net_uri,
	&net_encoding,     &net_hash,      &net_web,       &net_regex,
	&net_regex_match,  &net_jwt,       &net_rsa,       &net_x509,           &net_oid,         &net_symmetric,
	&net_xlinq,        &net_xnode,     &net_xml,       &net_xml_reader,  &net_time_zone,
	&net_type_code,    &net_time_rule, &net_xlinq_order, &net_uri_parts,   &net_key_parts,
	&net_normal,      &net_annotations, &net_uri_components, &net_x509_parts,
	NULL,
};

const struct net_formatter net_formatters[] = {
	{ &class_date_time, date_value_format },
	{ &class_date_offset, offset_value_format },
	{ &class_time_span, span_value_format },
	{ &class_guid, guid_value_format },
	{ NULL, NULL },
};
