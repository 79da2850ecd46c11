// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// dashboard is as much of Grafana's model as is used here.
type dashboard struct {
	SchemaVersion int
	Title, UID    string
	Panels        []panel
	Templating    struct{ List []variable }
}

type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []target

	Datasource  *source
	FieldConfig struct {
		Defaults struct{ Unit string }
	}
}

type target struct {
	Expr, LegendFormat, RefID string

	Datasource *source
}

type source struct{ Type, UID string }

type variable struct {
	Name, Type, Definition string

	Query any
}

func load(path string) (*dashboard, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := &dashboard{}
	if err := json.Unmarshal(data, d); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return d, nil
}
