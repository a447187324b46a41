/* DateTime, DateTimeOffset, TimeSpan, TimeZoneInfo in the invariant culture. "Now" is 2025-01-02T03:04:05.123456Z. */
#include "tests/unit/policy/net/evaluate.h"

#define T "new DateTime(2025, 1, 2, 3, 4, 5, 678)"

static void formats(void **state UNUSED)
{
	static const struct row rows[] = {
		{ T, "01/02/2025 03:04:05" },
		{ T ".ToString(\"d\")", "01/02/2025" },
		{ T ".ToString(\"D\")", "Thursday, 02 January 2025" },
		{ T ".ToString(\"f\")", "Thursday, 02 January 2025 03:04" },
		{ T ".ToString(\"F\")", "Thursday, 02 January 2025 03:04:05" },
		{ T ".ToString(\"g\")", "01/02/2025 03:04" },
		{ T ".ToString(\"G\")", "01/02/2025 03:04:05" },
		{ T ".ToString(\"M\")", "January 02" },
		{ T ".ToString(\"o\")", "2025-01-02T03:04:05.6780000" },
		{ "DateTime.SpecifyKind(" T ", DateTimeKind.Utc).ToString(\"O\")", "2025-01-02T03:04:05.6780000Z" },
		{ "DateTime.SpecifyKind(" T ", DateTimeKind.Local).ToString(\"o\")", "2025-01-02T03:04:05.6780000+00:00" },
		{ T ".ToString(\"r\")", "Thu, 02 Jan 2025 03:04:05 GMT" },
		{ T ".ToString(\"s\")", "2025-01-02T03:04:05" },
		{ T ".ToString(\"t\") + \" \" + " T ".ToString(\"T\")", "03:04 03:04:05" },
		{ T ".ToString(\"u\")", "2025-01-02 03:04:05Z" },
		{ T ".ToString(\"U\")", "Thursday, 02 January 2025 03:04:05" },
		{ T ".ToString(\"y\")", "2025 January" },
		{ T ".ToString(\"q\")", "! Input string was not in a correct format." },
		{ T ".ToString(\"yyyy-MM-ddTHH:mm:ss.fffZ\")", "2025-01-02T03:04:05.678Z" },
		{ T ".ToString(\"yy M d H m s f F\")", "25 1 2 3 4 5 6 6" },
		{ T ".ToString(\"ddd MMM dddd MMMM\")", "Thu Jan Thursday January" },
		{ T ".ToString(\"hh:mm tt\")", "03:04 AM" },
		{ "new DateTime(2025, 1, 2, 15, 0, 0).ToString(\"h t\")", "3 P" },
		{ "new DateTime(2025, 1, 2).ToString(\"HH:mm:ss.FFF\")", "00:00:00" },
		{ T ".ToString(\"%d\") + " T ".ToString(\"'day' d\") + " T ".ToString(\"\\\\d\\\\d\")", "2day 2dd" },
		{ T ".ToString(\"yyyyMMddHHmmssffff\")", "202501020304056780" },
		{ "DateTime.UtcNow.ToString(\"o\")", "2025-01-02T03:04:05.1234560Z" },
		{ "DateTime.Now.Kind + \" \" + DateTime.UtcNow.Kind + \" \" + DateTime.Today.ToString(\"s\")", "Local Utc 2025-01-02T00:00:00" },
		{ "DateTime.MaxValue.ToString(\"o\")", "9999-12-31T23:59:59.9999999" },
	};

	CHECK_ROWS(rows);
}

static void arithmetic(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "new DateTime(2025, 1, 31).AddMonths(1).ToString(\"d\")", "02/28/2025" },
		{ "new DateTime(2024, 2, 29).AddYears(1).ToString(\"d\")", "02/28/2025" },
		{ "new DateTime(2025, 1, 1).AddDays(-1).ToString(\"s\")", "2024-12-31T00:00:00" },
		{ "new DateTime(2025, 1, 1).AddSeconds(0.5).Millisecond", "500" },
		{ "new DateTime(2025, 3, 1).DayOfYear + \" \" + new DateTime(2025, 3, 1).DayOfWeek", "60 Saturday" },
		{ "new DateTime(2025, 1, 2).Ticks", "638713728000000000" },
		{ "(new DateTime(2025, 1, 2) - new DateTime(2025, 1, 1)).TotalHours", "24" },
		{ "new DateTime(2025, 1, 2) > new DateTime(2025, 1, 1)", "True" },
		{ "new DateTime(2025, 1, 2).Equals(new DateTime(2025, 1, 2))", "True" },
		{ "DateTime.IsLeapYear(2000) + \" \" + DateTime.IsLeapYear(1900) + \" \" + DateTime.DaysInMonth(2024, 2)", "True False 29" },
		{ "new DateTime(2025, 2, 29)", "! Year, Month, and Day parameters describe an un-representable DateTime." },
		{ "DateTime.MaxValue.AddDays(1)",
		  "! The added or subtracted value results in an un-representable DateTime. (Parameter 'value')" },
		{ "DateTime.MinValue.AddTicks(-1)",
		  "! The added or subtracted value results in an un-representable DateTime. (Parameter 'value')" },
		{ "new DateTime(0)", "01/01/0001 00:00:00" },
		{ "new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.FromHours(2))", "01/02/2025 03:04:05 +02:00" },
		{ "new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)).ToUnixTimeSeconds()", "1735779845" },
		{ "new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)).ToString(\"r\")", "Thu, 02 Jan 2025 01:04:05 GMT" },
		{ "new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)).ToString(\"o\")", "2025-01-02T03:04:05.0000000+02:00" },
		{ "DateTimeOffset.FromUnixTimeSeconds(0).UtcDateTime.ToString(\"o\")", "1970-01-01T00:00:00.0000000Z" },
		{ "DateTimeOffset.FromUnixTimeMilliseconds(-1).ToUnixTimeSeconds()", "-1" },
		{ "new DateTimeOffset(DateTime.UtcNow).ToUnixTimeMilliseconds()", "1735787045123" },
		{ "DateTimeOffset.UtcNow.ToOffset(TimeSpan.FromHours(-5)).ToString(\"HH:mm zzz\")", "22:04 -05:00" },
		{ "new DateTimeOffset(new DateTime(2025, 1, 1), TimeSpan.FromHours(15))",
		  "! Offset must be within plus or minus 14 hours. (Parameter 'offset')" },
	};

	CHECK_ROWS(rows);
}

static void spans(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "TimeSpan.Zero", "00:00:00" },
		{ "TimeSpan.FromSeconds(90)", "00:01:30" },
		{ "TimeSpan.FromDays(1.5)", "1.12:00:00" },
		{ "TimeSpan.FromMilliseconds(-1)", "-00:00:00.0010000" },
		{ "new TimeSpan(1, 2, 3, 4, 5).ToString()", "1.02:03:04.0050000" },
		{ "new TimeSpan(1, 2, 3, 4, 5).ToString(\"g\")", "1:2:03:04.005" },
		{ "new TimeSpan(1, 2, 3, 4, 5).ToString(\"G\")", "1:02:03:04.0050000" },
		{ "new TimeSpan(1, 2, 3).ToString(@\"hh\\:mm\\:ss\")", "01:02:03" },
		{ "new TimeSpan(1, 2, 3).ToString(\"hh:mm\")", "! Input string was not in a correct format." },
		{ "TimeSpan.FromMinutes(90).TotalHours + \" \" + TimeSpan.FromMinutes(90).Hours", "1.5 1" },
		{ "TimeSpan.Parse(\"1.02:03:04.5\").TotalSeconds", "93784.5" },
		{ "TimeSpan.Parse(\"6\")", "6.00:00:00" },
		{ "TimeSpan.Parse(\"6:12\")", "06:12:00" },
		{ "TimeSpan.Parse(\"6:12:14:45\")", "6.12:14:45" },
		{ "TimeSpan.Parse(\"24:00\")", "! The TimeSpan could not be parsed because at least one of the numeric components is out of "
					       "range or contains too many digits." },
		{ "TimeSpan.Parse(\"x\")", "! String 'x' was not recognized as a valid TimeSpan." },
		{ "TimeSpan.MaxValue + TimeSpan.FromTicks(1)", "! TimeSpan overflowed because the duration is too long." },
		{ "(TimeSpan.FromHours(1) - TimeSpan.FromMinutes(90)).ToString()", "-00:30:00" },
	};

	CHECK_ROWS(rows);
}

static void parsing(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "DateTime.Parse(\"2025-01-02\").ToString(\"o\")", "2025-01-02T00:00:00.0000000" },
		{ "DateTime.Parse(\"2025-01-02T03:04:05Z\").ToString(\"o\")", "2025-01-02T03:04:05.0000000+00:00" },
		{ "DateTime.Parse(\"2025-01-02T03:04:05+02:00\").ToString(\"s\")", "2025-01-02T01:04:05" },
		{ "DateTime.Parse(\"2025-01-02 03:04:05.1234567\").ToString(\"o\")", "2025-01-02T03:04:05.1234567" },
		{ "DateTime.Parse(\"01/02/2025 15:16\").ToString(\"s\")", "2025-01-02T15:16:00" },
		{ "DateTime.Parse(\"1/2/25\").ToString(\"s\")", "2025-01-02T00:00:00" },
		{ "DateTime.Parse(\"Thu, 02 Jan 2025 03:04:05 GMT\").ToString(\"s\")", "2025-01-02T03:04:05" },
		{ "DateTime.Parse(\"January 2, 2025 3:04 PM\").ToString(\"s\")", "2025-01-02T15:04:00" },
		{ "DateTime.Parse(\"2 Jan 2025\").ToString(\"s\")", "2025-01-02T00:00:00" },
		{ "DateTime.Parse(\"12:30\").ToString(\"s\")", "2025-01-02T12:30:00" },
		{ "DateTime.Parse(\"2025-13-01\")", "! String '2025-13-01' was not recognized as a valid DateTime." },
		{ "DateTime.Parse(\"2025-02-30\")", "! String '2025-02-30' was not recognized as a valid DateTime." },
		{ "DateTime.Parse(\"\")", "! String '' was not recognized as a valid DateTime." },
		{ "DateTime.Parse(\"hello\")", "! String 'hello' was not recognized as a valid DateTime." },
		{ "DateTime.Parse(\"1 2 3 4 5 6\")", "! String '1 2 3 4 5 6' was not recognized as a valid DateTime." },
		{ "DateTime.Parse(\"2025-01-02T03:04:05Z\", null, DateTimeStyles.RoundtripKind).Kind", "Utc" },
		{ "DateTime.Parse(\"2025-01-02\", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | "
		  "DateTimeStyles.AdjustToUniversal).Kind", "Utc" },
		{ "DateTime.ParseExact(\"20250102\", \"yyyyMMdd\", CultureInfo.InvariantCulture).ToString(\"s\")", "2025-01-02T00:00:00" },
		{ "DateTime.ParseExact(\"02-Jan-2025 03:04\", \"dd-MMM-yyyy HH:mm\", null).ToString(\"s\")", "2025-01-02T03:04:00" },
		{ "DateTime.ParseExact(\"2025-01-02T03:04:05.1230000Z\", \"o\", null).ToString(\"s\")", "2025-01-02T03:04:05" },
		{ "DateTime.ParseExact(\"2025-1-2\", \"yyyy-MM-dd\", null)", "! String '2025-1-2' was not recognized as a valid DateTime." },
		{ "@{ DateTime d; return DateTime.TryParse(\"x\", out d) + \" \" + d; }", "False 01/01/0001 00:00:00" },
		{ "@{ DateTime d; return DateTime.TryParseExact(\"3 PM\", \"h tt\", null, DateTimeStyles.None, out d) + \" \" + d.Hour; }", "True 15" },
		{ "DateTimeOffset.Parse(\"2025-01-02T03:04:05+02:00\")", "01/02/2025 03:04:05 +02:00" },
		{ "DateTimeOffset.Parse(\"2025-01-02\").Offset", "00:00:00" },
	};

	CHECK_ROWS(rows);
}

static void zones(void **state UNUSED)
{
	static const struct row rows[] = {
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\").BaseUtcOffset", "01:00:00" },
		{ "TimeZoneInfo.ConvertTimeFromUtc(new DateTime(2025, 7, 1, 12, 0, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"W. Europe Standard Time\")).ToString(\"s\")", "2025-07-01T14:00:00" },
		{ "TimeZoneInfo.ConvertTimeFromUtc(new DateTime(2025, 1, 1, 12, 0, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"Eastern Standard Time\")).ToString(\"s\")", "2025-01-01T07:00:00" },
		{ "TimeZoneInfo.ConvertTimeFromUtc(new DateTime(2060, 7, 1, 12, 0, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"Eastern Standard Time\")).ToString(\"s\")", "2060-07-01T08:00:00" },
		{ "TimeZoneInfo.ConvertTimeToUtc(new DateTime(2025, 7, 1, 14, 0, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\")).ToString(\"o\")", "2025-07-01T12:00:00.0000000Z" },
		{ "TimeZoneInfo.ConvertTimeToUtc(new DateTime(2025, 3, 30, 1, 59, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\")).ToString(\"s\")", "2025-03-30T00:59:00" },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\").IsInvalidTime(new DateTime(2025, 3, 30, 2, 30, 0))", "True" },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\").IsAmbiguousTime(new DateTime(2025, 10, 26, 2, 30, 0))", "True" },
		{ "TimeZoneInfo.ConvertTimeToUtc(new DateTime(2025, 10, 26, 2, 30, 0), "
		  "TimeZoneInfo.FindSystemTimeZoneById(\"Europe/Berlin\")).ToString(\"s\")", "2025-10-26T01:30:00" },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"India Standard Time\").GetUtcOffset(DateTime.UtcNow)", "05:30:00" },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"AUS Eastern Standard Time\").IsDaylightSavingTime(new DateTime(2025, 1, 1, 0, 0, 0, "
		  "DateTimeKind.Utc))", "True" },
		{ "TimeZoneInfo.ConvertTimeToUtc(DateTime.Now).ToString(\"o\")", "2025-01-02T03:04:05.1234560Z" },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"Nowhere\")", "! The time zone ID 'Nowhere' was not found on the local computer." },
		{ "TimeZoneInfo.FindSystemTimeZoneById(\"../../../etc/passwd\")",
		  "! The time zone ID '../../../etc/passwd' was not found on the local computer." },
		{ "TimeZoneInfo.Utc.Id + TimeZoneInfo.Local.Id", "UTCUTC" },
	};

	CHECK_ROWS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats), cmocka_unit_test(arithmetic), cmocka_unit_test(spans), cmocka_unit_test(parsing),
		cmocka_unit_test(zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
