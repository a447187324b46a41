/* version.h - the version of this program (https://semver.org). */
#pragma once

#define GATEHOUSE_VERSION "0.1.0"
