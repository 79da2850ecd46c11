// SPDX-License-Identifier: Apache-2.0

// Package stories remembers how the last reconciles went: of all objects together, and of each object. What it
// keeps is bounded. It keeps names and numbers, and no content of objects.
package stories
