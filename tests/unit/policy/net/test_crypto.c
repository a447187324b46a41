/* Digests, keyed digests, AES, RSA, certificates, tokens. Digest values are those of RFC 1321, RFC 4231, FIPS 180-4; the AES
 * value is that of NIST SP 800-38A, F.2.1. */
#include "tests/unit/policy/net/evaluate.h"

/* A self-signed certificate made for this test: C=DE, ST=Bavaria, O="Acme, Inc.", OU=Ops, CN=gw.example, emailAddress. */
#define CERT_BASE64 \
	"MIID4jCCAsqgAwIBAgIDAKGyMA0GCSqGSIb3DQEBCwUAMHUxCzAJBgNVBAYTAkRFMRAwDgYDVQQIDAdCYXZhcmlhMRMwEQYDVQQK" \
	"DApBY21lLCBJbmMuMQwwCgYDVQQLDANPcHMxEzARBgNVBAMMCmd3LmV4YW1wbGUxHDAaBgkqhkiG9w0BCQEWDWFAZXhhbXBsZS5j" \
	"b20wIBcNMjYxMTIxMDc1MzE1WhgPMjEyNjEwMjgwNzUzMTVaMHUxCzAJBgNVBAYTAkRFMRAwDgYDVQQIDAdCYXZhcmlhMRMwEQYD" \
	"VQQKDApBY21lLCBJbmMuMQwwCgYDVQQLDANPcHMxEzARBgNVBAMMCmd3LmV4YW1wbGUxHDAaBgkqhkiG9w0BCQEWDWFAZXhhbXBs" \
	"ZS5jb20wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQC5pQEnUszWhUJdAuh8WZvbvhup6N3PBOyJoKe8wpNlaEuITXfc" \
	"ao7LuKdEfUp7F/Rhjsw+UCfD7IqKCYj1lBG1dVcz960TEGqvs3R1X82eXeQVt69tPsy/XOdshTo2xI7CwKWvasK9l5fFVHKKAukB" \
	"JVSYqRIq3rS6CK0w8RpFLoiSwcuxKl/Ihhtorh+S8iZUay98vuxRDtEiMIVlP/OcIrSJ0zlSqdw9zfPLtI7ZdIggMwz5DMfb8lig" \
	"e9VVgfM1ElOKqfKo7LNHWnIiIw6DRIcZuKp/MmPeSPSqcxAcF18sMmxYcQDbXNDFQ/SKcU9flNpW2TrKNEL8hv0xDCu5AgMBAAGj" \
	"eTB3MB0GA1UdDgQWBBTjcpsmj6BnVfQ4rAMLeKEJh+YYbzAfBgNVHSMEGDAWgBTjcpsmj6BnVfQ4rAMLeKEJh+YYbzAPBgNVHRMB" \
	"Af8EBTADAQH/MCQGA1UdEQQdMBuCCmd3LmV4YW1wbGWBDWJAZXhhbXBsZS5jb20wDQYJKoZIhvcNAQELBQADggEBAB3P7Q2NPVuM" \
	"5GIXRIZEq/MbAdDmXgkxlBlE9gHmu7VM3085UkSYLUqdZjxV8qzdtMNvkCN5YEguy20YQ4lmDQUlzM2LgdbpoSKJTN3WU2Dp0KZF" \
	"5wJ39vGdLyfMd6pJ4CAssleAPBzC6Ho5BR3MSwpEd36lClXASni1YeuKpQa9/mc/HRuSWJqAHvcoVmYR1XTSIt3iZY22ht/T2+Fe" \
	"VgotvanqyfP8ujpKQKlKoo2df+02KsTiAAWC+oeAY0Rl2FnY/23Usdlr/RYYzr1gfOzUSgJUIYjgEc+6Ha7HGidCqWEmZDo3UNg6" \
	"hFzpOQYKO5kVO4va6j0EbK9P4cfIi6Y="
#define CERT "new X509Certificate2(Convert.FromBase64String(\"" CERT_BASE64 "\"))"
#define HEX(bytes) "BitConverter.ToString(" bytes ").Replace(\"-\", \"\").ToLower()"
#define UTF8(text) "Encoding.UTF8.GetBytes(\"" text "\")"

static void digests(void **state UNUSED)
{
	static const struct row rows[] = {
		{ HEX("MD5.Create().ComputeHash(new byte[0])"), "d41d8cd98f00b204e9800998ecf8427e" },
		{ HEX("SHA1.Create().ComputeHash(" UTF8("abc") ")"), "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ HEX("SHA256.Create().ComputeHash(" UTF8("abc") ")"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ HEX("new SHA256Managed().ComputeHash(" UTF8("xabcx") ", 1, 3)"),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ HEX("SHA384.Create().ComputeHash(" UTF8("abc") ")") ".Substring(0, 16)", "cb00753f45a35e8b" },
		{ HEX("HashAlgorithm.Create(\"SHA512\").ComputeHash(" UTF8("abc") ")") ".Substring(0, 16)", "ddaf35a193617aba" },
		{ HEX("new HMACSHA256(" UTF8("Jefe") ").ComputeHash(" UTF8("what do ya want for nothing?") ")"),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ HEX("new HMACMD5(" UTF8("Jefe") ").ComputeHash(" UTF8("what do ya want for nothing?") ")"), "750c783e6ab0b503eaa86e310a5db738" },
		{ "@{ using (var h = new HMACSHA512(" UTF8("Jefe") ")) { return " HEX("h.ComputeHash(" UTF8("what do ya want for nothing?") ")")
		  ".Substring(0, 16); } }", "164b7a7bfcf819e2" },
		{ "@{ var h = SHA256.Create(); var b = " UTF8("abc") "; h.TransformBlock(b, 0, 1, b, 0); h.TransformFinalBlock(b, 1, 2); return "
		  HEX("h.Hash") ".Substring(0, 16); }", "ba7816bf8f01cfea" },
		{ "new HMACSHA256().Key.Length + SHA512.Create().HashSize", "576" },
		{ "SHA256.Create().ComputeHash((byte[])null)", "! Value cannot be null. (Parameter 'buffer')" },
		{ "HashAlgorithm.Create(\"nope\") == null", "True" },
		{ "HashAlgorithmName.SHA256.Name + (HashAlgorithmName.SHA1 == new HashAlgorithmName(\"SHA1\"))", "SHA256True" },
	};

	CHECK_ROWS(rows);
}

#define KEY "Convert.FromBase64String(\"K34VFiiu0qar9xWICc9PPA==\")"
#define IV "Convert.FromBase64String(\"AAECAwQFBgcICQoLDA0ODw==\")"

static void ciphers(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "@{ var a = Aes.Create(); a.Key = " KEY "; a.IV = " IV "; a.Padding = PaddingMode.None; return "
		  HEX("Convert.FromBase64String(\"a8G+4i5An5bpPX4Rc5MXKg==\").Encrypt(a)") "; }", "7649abac8119b246cee98e9b12e9197d" },
		{ "Encoding.UTF8.GetString(" UTF8("hello") ".Encrypt(\"Aes\", " KEY ", " IV ").Decrypt(\"Aes\", " KEY ", " IV "))", "hello" },
		{ UTF8("hello") ".Encrypt(\"Aes\", " KEY ", " IV ").Length", "16" },
		{ "@{ var a = Aes.Create(); a.Mode = CipherMode.ECB; var e = a.CreateEncryptor().TransformFinalBlock(" UTF8("hi") ", 0, 2); return "
		  "Encoding.UTF8.GetString(a.CreateDecryptor().TransformFinalBlock(e, 0, e.Length)); }", "hi" },
		{ UTF8("hello") ".Decrypt(\"Aes\", " KEY ", " IV ")", "! Length of the data to decrypt is invalid." },
		{ "new byte[16].Decrypt(\"Aes\", " KEY ", " IV ")", "! Padding is invalid and cannot be removed." },
		{ UTF8("x") ".Encrypt(\"Aes\", new byte[3], " IV ")", "! Specified key is not a valid size for this algorithm." },
		{ UTF8("x") ".Encrypt(\"Aes\", " KEY ", new byte[3])",
		  "! Specified initialization vector (IV) does not match the block size for this algorithm." },
		{ UTF8("x") ".Encrypt(\"Nope\", " KEY ", " IV ")", "! The symmetric algorithm is not known." },
		{ "@{ var b = new byte[8]; new RNGCryptoServiceProvider().GetBytes(b); return b.Length; }", "8" },
	};

	CHECK_ROWS(rows);
}

static void rsa(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "@{ var r = RSA.Create(); var d = " UTF8("data") "; var s = r.SignData(d, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1); "
		  "return s.Length + \",\" + r.VerifyData(d, s, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) + \",\" + "
		  "r.VerifyData(" UTF8("datb") ", s, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1); }", "256,True,False" },
		{ "@{ var r = RSA.Create(); var d = " UTF8("data") "; return Encoding.UTF8.GetString(r.Decrypt(r.Encrypt(d, "
		  "RSAEncryptionPadding.OaepSHA256), RSAEncryptionPadding.OaepSHA256)); }", "data" },
		{ "@{ var r = RSA.Create(); var q = RSA.Create(); q.ImportParameters(r.ExportParameters(false)); var s = r.SignData(" UTF8("d")
		  ", HashAlgorithmName.SHA512, RSASignaturePadding.Pss); return q.VerifyData(" UTF8("d")
		  ", s, HashAlgorithmName.SHA512, RSASignaturePadding.Pss); }", "True" },
		{ "@{ var r = RSA.Create(); r.ImportParameters(new RSAParameters { Modulus = new byte[] { 1 }, Exponent = new byte[] { 3 } }); return 1; }",
		  "! The specified RSA parameters are not valid; both Exponent and Modulus are required fields." },
		{ CERT ".GetRSAPublicKey().KeySize", "2048" },
		{ CERT ".GetRSAPrivateKey() == null", "True" },
		{ CERT ".GetRSAPublicKey().SignData(new byte[1], HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)", "! Key does not exist." },
	};

	CHECK_ROWS(rows);
}

static void certificates(void **state UNUSED)
{
	static const struct row rows[] = {
		{ CERT ".Subject", "E=a@example.com, CN=gw.example, OU=Ops, O=\"Acme, Inc.\", S=Bavaria, C=DE" },
		{ CERT ".Issuer == " CERT ".SubjectName.Name", "True" },
		{ CERT ".Thumbprint", "00DF1BC1D8BE09E7E2CA7C217B88897C3F7AD574" },
		{ CERT ".GetKeyAlgorithmParametersString()", "0500" },      /* NULL, as RSA keys have it */
		{ CERT ".GetKeyAlgorithmParameters().Length.ToString()", "2" },
		{ "(" CERT ".GetName() == " CERT ".Subject && " CERT ".GetIssuerName() == " CERT ".Issuer).ToString()", "True" },
		{ "X509Certificate2.GetCertContentType(" CERT ".RawData).ToString()", "Cert" },
		{ CERT ".Archived.ToString()", "False" },
		{ HEX(CERT ".GetCertHash()") ".Length + " CERT ".GetCertHashString(HashAlgorithmName.SHA256).Substring(0, 8)", "40CED1CC0C" },
		{ CERT ".SerialNumber", "00A1B2" },
		{ CERT ".NotBefore + \" \" + " CERT ".NotAfter.Year + \" \" + " CERT ".NotBefore.Kind", "11/21/2026 07:53:15 2126 Local" },
		{ CERT ".GetNameInfo(X509NameType.SimpleName, false) + \",\" + " CERT ".GetNameInfo(X509NameType.EmailName, false) + \",\" + "
		  CERT ".GetNameInfo(X509NameType.DnsName, false)", "gw.example,b@example.com,gw.example" },
		{ CERT ".HasPrivateKey + \" \" + " CERT ".Version + \" \" + " CERT ".SignatureAlgorithm.FriendlyName + \" \" + " CERT
		  ".PublicKey.Oid.FriendlyName", "False 3 sha256RSA RSA" },
		{ CERT ".Verify() + \",\" + " CERT ".VerifyNoRevocation()", "False,False" },
		{ CERT ".RawData.Length", "998" },
		{ "new X509Certificate2(new byte[] { 1, 2 })", "! Cannot find the requested object.\r\n" },
		{ "new X509Certificate2(new byte[0])", "! Array may not be empty or null. (Parameter 'rawData')" },
	};

	CHECK_ROWS(rows);
}

/* {"alg":"HS256","typ":"JWT"} . {"sub":"u1","iss":"i","aud":["a","b"],"exp":1735787045,"roles":["x","y"],"n":5,"b":true} */
#define TOKEN                                                                                                           \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."                                                                         \
	"eyJzdWIiOiJ1MSIsImlzcyI6ImkiLCJhdWQiOlsiYSIsImIiXSwiZXhwIjoxNzM1Nzg3MDQ1LCJyb2xlcyI6WyJ4IiwieSJdLCJuIjo1LCJiIjp0cnVlfQ." \
	"AAAA"
#define JWT "\"" TOKEN "\".AsJwt()"

static void tokens(void **state UNUSED)
{
	static const struct row rows[] = {
		{ JWT ".Subject + " JWT ".Issuer + " JWT ".Algorithm + " JWT ".Type", "u1iHS256JWT" },
		{ "\"Bearer " TOKEN "\".AsJwt().Subject", "u1" },
		{ "string.Join(\",\", " JWT ".Audiences)", "a,b" },
		{ JWT ".ExpirationTime", "01/02/2025 03:04:05" },
		{ JWT ".NotBefore == null", "True" },
		{ JWT ".Claims[\"roles\"][1] + " JWT ".Claims[\"n\"][0] + " JWT ".Claims[\"b\"][0]", "y5true" },
		{ JWT ".Claims.GetValueOrDefault(\"roles\", \"\") + " JWT ".Claims.GetValueOrDefault(\"zz\", \"none\")", "x,ynone" },
		{ JWT ".Claims.ContainsKey(\"sub\")", "True" },
		{ "\"nope\".AsJwt() == null", "True" },
		{ "\"a.b.c\".AsJwt() == null", "True" },
		{ "@{ Jwt j; return \"x\".TryParseJwt(out j) + \",\" + \"" TOKEN "\".TryParseJwt(out j) + \",\" + j.Id; }", "False,True," },
		{ "\"Basic dXNlcjpwYTpzcw==\".AsBasic().UserId + \" \" + \"Basic dXNlcjpwYTpzcw==\".AsBasic().Password", "user pa:ss" },
		{ "\"Basic !!\".AsBasic() == null", "True" },
		{ "@{ BasicAuthCredentials b; return \"Basic dTpw\".TryParseBasic(out b) + b.UserId; }", "Trueu" },
	};

	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests), cmocka_unit_test(ciphers), cmocka_unit_test(rsa), cmocka_unit_test(certificates),
		cmocka_unit_test(tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
