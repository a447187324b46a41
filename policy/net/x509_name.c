#include "policy/net/x509_name.h"

#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "core/str.h"
#include "policy/net/modules.h"
#include "policy/net/native.h"
#include "policy/net/out.h"

/* ---- names -------------------------------------------------------------------------------------------------------------------- */

static const struct {
	int nid;
	const char *key;
} keys[] = {
	{ NID_commonName, "CN" },            { NID_countryName, "C" },     { NID_stateOrProvinceName, "S" },
	{ NID_localityName, "L" },           { NID_organizationName, "O" }, { NID_organizationalUnitName, "OU" },
	{ NID_pkcs9_emailAddress, "E" },     { NID_domainComponent, "DC" }, { NID_streetAddress, "STREET" },
	{ NID_title, "T" },                  { NID_givenName, "G" },       { NID_initials, "I" },
	{ NID_surname, "SN" },               { NID_serialNumber, "SERIALNUMBER" },
	{ NID_description, "Description" },  { NID_postalCode, "PostalCode" },
};

static void put_key(struct out *o, const ASN1_OBJECT *object)
{
	char dotted[80];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (OBJ_obj2nid(object) == keys[i].nid) {
			out_put(o, str_of(keys[i].key));
			return;
		}
	OBJ_obj2txt(dotted, sizeof(dotted), object, 1);
	out_fmt(o, "OID.%s", dotted);
}

static struct str utf8_of(struct arena *a, const ASN1_STRING *s)
{
	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text, s);
	struct str out = arena_dup(a, (struct str){ n > 0 ? (const char *)text : "", n > 0 ? (size_t)n : 0 });

	OPENSSL_free(text);
	return out.p ? text_clean(a, out) : out;
}

static void put_value(struct out *o, struct str s)
{
	bool quote = s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ';

	for (size_t i = 0; i < s.n && !quote; i++)
		quote = s.p[i] && strchr(",+=\"\n<>#;", s.p[i]);
	if (!quote) {
		out_put(o, s);
		return;
	}
	out_char(o, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			out_char(o, '"');
		out_char(o, s.p[i]);
	}
	out_char(o, '"');
}

struct str x509_name_text(struct arena *a, const X509_NAME *name)
{
	struct out o = out_in(a);
	int before = -1;

	for (int i = X509_NAME_entry_count(name) - 1; i >= 0; i--) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);

		if (o.n)
			out_put(&o, X509_NAME_ENTRY_set(e) == before ? STR(" + ") : STR(", "));
		before = X509_NAME_ENTRY_set(e);
		put_key(&o, X509_NAME_ENTRY_get_object(e));
		out_char(&o, '=');
		put_value(&o, utf8_of(a, X509_NAME_ENTRY_get_data(e)));
	}
	return out_str(&o);
}

struct str x509_name_part(struct arena *a, const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);

	return at < 0 ? STR("") : utf8_of(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

struct str x509_name_simple(struct arena *a, const X509_NAME *name)
{
	static const int order[] = { NID_commonName, NID_organizationalUnitName, NID_organizationName, NID_pkcs9_emailAddress };
	int last = X509_NAME_entry_count(name) - 1;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct str found = x509_name_part(a, name, order[i]);

		if (!found.p || found.n)
			return found;
	}
	return last < 0 ? STR("") : utf8_of(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
}

struct str x509_alternative(struct arena *a, const X509 *x, int extension, int kind)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, extension, NULL, NULL);
	struct str found = STR("");

	for (int i = 0; names && found.n == 0 && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == kind)
			found = utf8_of(a, n->d.ia5);
	}
	GENERAL_NAMES_free(names);
	return found;
}

/* ---- Oid ------------------------------------------------------------------------------------------------------------------------- */

struct oid {
	struct object head;
	struct str value, name;
};

static struct value_class class_oid;

/* Windows' names where they differ from OpenSSL's */
static const struct {
	const char *dotted, *name;
} friendly[] = {
	{ "1.2.840.113549.1.1.1", "RSA" },          { "1.2.840.113549.1.1.5", "sha1RSA" },
	{ "1.2.840.113549.1.1.11", "sha256RSA" },   { "1.2.840.113549.1.1.12", "sha384RSA" },
	{ "1.2.840.113549.1.1.13", "sha512RSA" },   { "1.2.840.113549.1.1.4", "md5RSA" },
	{ "1.2.840.10045.2.1", "ECC" },             { "1.2.840.10045.4.3.2", "sha256ECDSA" },
	{ "1.2.840.10045.4.3.3", "sha384ECDSA" },   { "1.2.840.10045.4.3.4", "sha512ECDSA" },
	{ "1.3.14.3.2.26", "sha1" },                { "2.16.840.1.101.3.4.2.1", "sha256" },
	{ "2.16.840.1.101.3.4.2.2", "sha384" },     { "2.16.840.1.101.3.4.2.3", "sha512" },
	{ "1.2.840.113549.2.5", "md5" },
};

static struct str name_of(struct arena *a, struct str dotted)
{
	const char *text = arena_cstr(a, dotted);
	int nid;

	for (size_t i = 0; i < ARRAY_LEN(friendly); i++)
		if (str_eq(dotted, str_of(friendly[i].dotted)))
			return str_of(friendly[i].name);
	nid = text ? OBJ_txt2nid(text) : NID_undef;
	return nid == NID_undef ? STR_NULL : str_of(OBJ_nid2ln(nid));
}

static struct str dotted_of(struct arena *a, struct str name)
{
	const char *text = arena_cstr(a, name);
	ASN1_OBJECT *o;
	char dotted[80] = "";

	for (size_t i = 0; i < ARRAY_LEN(friendly); i++)
		if (str_eq_ci(name, str_of(friendly[i].name)))
			return str_of(friendly[i].dotted);
	o = text ? OBJ_txt2obj(text, 0) : NULL;
	if (o)
		OBJ_obj2txt(dotted, sizeof(dotted), o, 1);
	ASN1_OBJECT_free(o);
	return dotted[0] ? arena_dup(a, str_of(dotted)) : name;
}

bool give_oid(struct vm_call *c, struct str dotted)
{
	struct oid *o = vm_new(c, &class_oid, sizeof(*o));

	if (!o || !dotted.p)
		return o ? vm_throw(c, EX_OUT_OF_MEMORY, NULL) : false;
	o->value = dotted;
	o->name = name_of(c->arena, dotted);
	return vm_return(c, value_object(o));
}

static bool new_oid(struct vm_call *c)
{
	struct oid *o = vm_new(c, &class_oid, sizeof(*o));

	if (!o)
		return false;
	if (c->n == 0)
		return vm_return(c, value_object(o));
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "oid");
	o->value = dotted_of(c->arena, arg_str(c, 0));
	o->name = c->n > 1 ? arg_str(c, 1) : name_of(c->arena, o->value);
	return vm_return(c, value_object(o));
}

static bool of_name(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "friendlyName");
	return give_oid(c, dotted_of(c->arena, arg_str(c, 0)));
}

static bool of_value(struct vm_call *c)
{
	if (arg_is_null(c, 0))
		return vm_throw_null(c, "oidValue");
	return give_oid(c, arg_str(c, 0));
}

static bool get_value(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct oid)->value);
}

static bool get_name(struct vm_call *c)
{
	return vm_return_str(c, SELF(c, struct oid)->name);
}

static const struct class_member oid_members[] = {
	{ "Oid()", new_oid },
	{ "Oid(string oid)", new_oid },
	{ "Oid(string value, string friendlyName)", new_oid },
	{ "static Oid FromFriendlyName(string friendlyName, OidGroup group)", of_name },
	{ "static Oid FromOidValue(string oidValue, OidGroup group)", of_value },
	{ "string Value { get; }", get_value },
	{ "string FriendlyName { get; }", get_name },
	{ 0 }
};
static const struct class_member groups[] = {
	{ "All = 0" }, { "HashAlgorithm = 1" }, { "EncryptionAlgorithm = 2" }, { "PublicKeyAlgorithm = 3" },
	{ "SignatureAlgorithm = 4" }, { "Attribute = 5" }, { "ExtensionOrAttribute = 6" }, { "EnhancedKeyUsage = 7" },
	{ "Policy = 8" }, { "Template = 9" }, { "KeyDerivationFunction = 10" },
	{ 0 }
};

static struct value_class class_oid = { .name = "System.Security.Cryptography.Oid", .members = oid_members };
static struct value_class class_groups = {
	.name = "System.Security.Cryptography.OidGroup", .kind = CLASS_ENUM, .members = groups
};
static struct value_class *const classes[] = { &class_oid, &class_groups, NULL };

const struct class_module net_oid = { .classes = classes };
