#include "policy/elements/cert_match.h"

#include "core/str.h"
#include "policy/net/x509_name.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

enum { PARTS_MAX = 64 };

/* ---- fingerprints and numbers -------------------------------------------------------------------------------------- */

static bool same_hex(struct str written, const unsigned char *bytes, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t at = 0;

	for (size_t i = 0; i < written.n; i++) {
		char c = written.p[i];

		if (c == ':' || c == ' ' || (unsigned char)c >= 0x80)    /* certificate viewers put a U+200E in front */
			continue;
		if (at == 2 * n || ascii_upper(c) != digits[at % 2 ? bytes[at / 2] & 15 : bytes[at / 2] >> 4])
			return false;
		at++;
	}
	return n > 0 && at == 2 * n;
}

bool cert_has_thumbprint(const X509 *c, struct str sha1_hex)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return X509_digest(c, EVP_sha1(), digest, &n) && same_hex(sha1_hex, digest, n);
}

bool cert_has_serial(const X509 *c, struct str hex)
{
	const ASN1_INTEGER *s = X509_get0_serialNumber(c);
	const unsigned char *p = ASN1_STRING_get0_data(s);
	size_t n = (size_t)ASN1_STRING_length(s);

	while (hex.n > 2 && hex.p[0] == '0' && hex.p[1] == '0')  /* the octet that keeps a number positive */
		hex = str_from(hex, 2);
	return same_hex(hex, p, n);
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

struct part {
	int nid;                     /* NID_undef: by dotted number */
	struct str oid, value;
};

/* The short names that Windows writes and OpenSSL spells otherwise. */
static int nid_of(struct str key, struct arena *a)
{
	static const struct {
		struct str key;
		int nid;
	} own[] = {
		{ STR_INIT("S"), NID_stateOrProvinceName }, { STR_INIT("ST"), NID_stateOrProvinceName },
		{ STR_INIT("E"), NID_pkcs9_emailAddress },  { STR_INIT("G"), NID_givenName },
		{ STR_INIT("I"), NID_initials },            { STR_INIT("T"), NID_title },
		{ STR_INIT("SN"), NID_surname },            { STR_INIT("SERIALNUMBER"), NID_serialNumber },
		{ STR_INIT("CN"), NID_commonName },         { STR_INIT("C"), NID_countryName },
		{ STR_INIT("L"), NID_localityName },        { STR_INIT("O"), NID_organizationName },
		{ STR_INIT("OU"), NID_organizationalUnitName }, { STR_INIT("DC"), NID_domainComponent },
		{ STR_INIT("STREET"), NID_streetAddress },  { STR_INIT("UID"), NID_userId },
	};
	const char *text;
	int nid;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_eq_ci(own[i].key, key))
			return own[i].nid;
	text = arena_cstr(a, str_starts_ci(key, STR("OID.")) ? str_from(key, 4) : key);
	nid = text ? OBJ_txt2nid(text) : NID_undef;
	ERR_clear_error();
	return nid;
}

/* The value behind "=": up to a comma, semicolon or plus outside quotes; *rest is what follows it. STR_NULL: a quote has
 * no end, or memory is out. */
static struct str read_value(struct arena *a, struct str s, struct str *rest)
{
	char *out = arena_alloc_text(a, s.n + 1);
	bool quoted = false;
	size_t i, n = 0, hard = 0;       /* hard: how much may not be trimmed away */

	for (i = 0; out && i < s.n && (quoted || !strchr(",;+", s.p[i])); i++) {
		char c = s.p[i];

		if (c == '"' && quoted && i + 1 < s.n && s.p[i + 1] == '"') {
			out[n++] = c;
			i++;
		} else if (c == '"') {
			quoted = !quoted;
			hard = n;
		} else if (c == '\\' && i + 1 < s.n) {
			out[n++] = s.p[++i];
			hard = n;
		} else if (n || quoted || c != ' ') {
			out[n++] = c;
		}
	}
	if (!out || quoted)
		return STR_NULL;
	while (n > hard && out[n - 1] == ' ')
		n--;
	*rest = str_from(s, i + 1);
	return (struct str){ out, n };
}

static bool read_parts(struct arena *a, struct str s, struct part parts[PARTS_MAX], size_t *n)
{
	for (*n = 0; str_trim(s).n; (*n)++) {
		size_t equals = str_find_char(s, '=');
		struct part *p = &parts[*n];
		struct str key = str_trim(str_first(s, equals));

		if (equals == SIZE_MAX || !key.n || *n == PARTS_MAX)
			return false;
		p->oid = str_starts_ci(key, STR("OID.")) ? str_from(key, 4) : key;
		p->nid = nid_of(key, a);
		p->value = read_value(a, str_from(s, equals + 1), &s);
		if (str_is_null(p->value))
			return false;
	}
	return *n > 0;
}

static bool same_object(const ASN1_OBJECT *o, const struct part *p)
{
	char dotted[80];

	if (p->nid != NID_undef)
		return OBJ_obj2nid(o) == p->nid;
	return OBJ_obj2txt(dotted, sizeof(dotted), o, 1) > 0 && str_eq(str_of(dotted), p->oid);
}

static bool same_value(const ASN1_STRING *s, struct str want)
{
	unsigned char *text = NULL;
	int n = ASN1_STRING_to_UTF8(&text, s);
	bool same = n >= 0 && str_eq_ci(str_trim((struct str){ (char *)text, (size_t)n }), str_trim(want));

	OPENSSL_free(text);
	ERR_clear_error();
	return same;
}

static bool same_parts(const X509_NAME *name, const struct part *parts, int n, bool backwards)
{
	for (int i = 0; i < n; i++) {
		X509_NAME_ENTRY *e = X509_NAME_get_entry(name, backwards ? n - 1 - i : i);

		if (!same_object(X509_NAME_ENTRY_get_object(e), &parts[i])
		    || !same_value(X509_NAME_ENTRY_get_data(e), parts[i].value))
			return false;
	}
	return true;
}

bool cert_name_is(struct arena *a, const X509_NAME *name, struct str written)
{
	struct part parts[PARTS_MAX];
	size_t n;

	if (!read_parts(a, written, parts, &n) || (size_t)X509_NAME_entry_count(name) != n)
		return false;
	return same_parts(name, parts, (int)n, false) || same_parts(name, parts, (int)n, true);
}

bool cert_name_ok(struct arena *a, struct str written)
{
	struct part parts[PARTS_MAX];
	size_t n;

	return read_parts(a, written, parts, &n);
}

bool cert_has_common_name(struct arena *a, const X509 *c, struct str want)
{
	struct str cn = x509_name_part(a, X509_get_subject_name(c), NID_commonName);

	return cn.n && str_eq_ci(cn, str_trim(want));
}

bool cert_has_dns_name(const X509 *c, struct str want)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	want = str_trim(want);
	for (int i = 0; names && !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type == GEN_DNS)
			found = str_eq_ci((struct str){ (const char *)ASN1_STRING_get0_data(n->d.dNSName),
							(size_t)ASN1_STRING_length(n->d.dNSName) }, want);
	}
	GENERAL_NAMES_free(names);
	return found;
}
