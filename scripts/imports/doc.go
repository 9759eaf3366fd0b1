// Package imports holds a test that keeps the direction of the house: who may import whom, row by row in
// rules_test.go, each with the reason why.
package imports
