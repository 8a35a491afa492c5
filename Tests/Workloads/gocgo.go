// Makes goburn a program that is linked against the C library.
package main

import "C"
