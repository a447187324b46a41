/* annotations.h - what hangs on a token or node without being part of it. */
#pragma once

struct annotation;
