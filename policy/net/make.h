/* make.h - .NET objects made by C code: message bodies, `context`, policy elements.
 *
 * Everything lives in the given arena. Makers that return a value give VALUE_NULL when out of memory. Those with an error
 * put .NET's (Newtonsoft's) own exception message into err->message, fit for vm_throw or context.LastError. */
#pragma once

#include "core/error.h"
#include "policy/expr/value.h"

enum date_kind { DATE_UNSPECIFIED, DATE_UTC, DATE_LOCAL };

/* A tick is 100 ns; DateTime counts from 0001-01-01T00:00:00, TimeSpan from zero. */
#define TICKS_PER_US 10
#define TICKS_UNIX_EPOCH INT64_C(621355968000000000)

struct value date_time_value(struct arena *a, int64_t ticks, enum date_kind kind);
struct value date_time_of_us(struct arena *a, int64_t us_since_1970);            /* kind Utc */
struct value date_offset_of_us(struct arena *a, int64_t us_since_1970);          /* DateTimeOffset, offset zero */
struct value time_span_value(struct arena *a, int64_t ticks);

/* Any of the forms N, D, B, P, X. bytes in the order of Guid.ToByteArray(). */
bool guid_parse(struct str text, uint8_t bytes[16]);
struct value guid_value(struct arena *a, const uint8_t bytes[16]);

/* VALUE_NULL also when it is no absolute address. */
struct value uri_value(struct arena *a, struct str absolute);

/* JToken.Parse: JObject, JArray or JValue. LIMIT: nested too deeply. */
GH_RC json_value(struct arena *a, struct str text, struct value *out, struct gh_err *err);

/* XElement.Parse, XDocument.Parse (LoadOptions.None). LIMIT: too large, too deep, an entity bomb. */
GH_RC xml_element_value(struct arena *a, struct str text, struct value *out, struct gh_err *err);
GH_RC xml_document_value(struct arena *a, struct str text, struct value *out, struct gh_err *err);

/* X509Certificate2 of PEM or DER. INVALID when it is none. */
GH_RC certificate_value(struct arena *a, struct str pem_or_der, struct value *out, struct gh_err *err);
/* The same with its private key (PEM; STR_NULL: none), for context.Deployment.Certificates. */
GH_RC certificate_value_with_key(struct arena *a, struct str cert_pem, struct str key_pem, struct value *out,
				 struct gh_err *err);

/* string.AsJwt(): a bare token or a whole "Bearer …" value; VALUE_NULL when it is none. Checks nothing but the form. */
struct value jwt_value(struct arena *a, struct str token);
/* string.AsBasic(): "Basic …"; VALUE_NULL when it is none. */
struct value basic_value(struct arena *a, struct str header);
